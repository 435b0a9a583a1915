"""The loop as numba compiles it. Imported only where numba is installed.

The arrays of the market are lent to the loop by their address: numba counts references to every array that
a function is given, and the counting would take longer than the backtest.
"""

from typing import Any

import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, register_jitable
from numba.np.numpy_support import carray

from bot.backtest.kernel import lending
from bot.backtest.kernel.books import Limits, Tables
from bot.backtest.kernel.loop import play
from bot.backtest.kernel.market import Played

_LENT = lending.Lent  # numba knows it once it is imported


@intrinsic
def _pointer(typing_context, address):
    def code(_context, builder, _signature, arguments):
        return builder.inttoptr(arguments[0], cgutils.voidptr_t)

    return types.voidptr(types.intp), code


_at: Any = _pointer  # its first argument is numba's own


@register_jitable
def _lent_floats(array: Any) -> Any:
    return carray(_at(array.ctypes.data), array.shape, np.float64)


@register_jitable
def _lent_wholes(array: Any) -> Any:
    return carray(_at(array.ctypes.data), array.shape, np.int64)


@register_jitable
def _lent_bytes(array: Any) -> Any:
    return carray(_at(array.ctypes.data), array.shape, np.uint8)


def keyed(digest: str) -> Any:
    """Return the loop with the digest of all sources in it.

    numba keeps machine code by the function's own file and by what it closes over; the rest it does not see.
    """

    def loop(record: Any, p: Played, _limits: Limits, tables: Tables) -> None:
        _ = digest
        lent = Played(
            p.start_ms,
            p.bar_ms,
            p.bars,
            p.candle_ms,
            _lent_floats(p.marks),
            _lent_floats(p.lasts),
            _lent_bytes(p.is_there),
            _lent_wholes(p.due),
            _lent_floats(p.due_values),
            _lent_wholes(p.rows),
            _lent_floats(p.estimates),
            p.first_close_ms,
            p.candle_bars,
            _lent_floats(p.candles),
            _lent_bytes(p.words),
            _lent_floats(p.strengths),
            _lent_floats(p.stop_distances),
        )
        books = record[0]
        play(books, lent, books.limits, tables)

    return loop
