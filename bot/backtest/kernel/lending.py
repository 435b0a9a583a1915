"""What machine code does otherwise: margin rules are lent by their address, and memory is fetched ahead.

Imported only where numba is installed.

A view of a position holds the rules, and is given to a dozen functions a look. As a tuple of tier tables each
of them would get forty numbers and count five references; a record is a pointer, but numba returns none
within a tuple. So the address of the record is a type of its own, whose fields are the record's.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.datamodel import models
from numba.core.typing.templates import AttributeTemplate
from numba.extending import infer_getattr, intrinsic, lower_getattr_generic, overload, register_model

from bot.backtest.kernel.books import lent
from bot.backtest.kernel.market import fetch


class Lent(types.Type):
    """The address of a record."""

    def __init__(self, record: Any) -> None:
        self.record = record
        super().__init__(name=f"Lent({record})")


@register_model(Lent)
class _LentModel(models.OpaqueModel):
    """An address."""


@infer_getattr
class _Fields(AttributeTemplate):
    key = Lent

    def generic_resolve(self, value: Any, attr: str) -> Any:
        return self.context.resolve_getattr(value.record, attr)


@lower_getattr_generic(Lent)
def _field(context: Any, builder: Any, kind: Any, value: Any, attr: str) -> Any:
    record = builder.bitcast(value, context.get_value_type(kind.record))
    return context.get_getattr(kind.record, attr)(context, builder, kind.record, record, attr)


@intrinsic
def _lend(_typing_context, record):
    kind = Lent(record)

    def code(context, builder, _signature, arguments):
        return builder.bitcast(arguments[0], context.get_value_type(kind))

    return kind(record), code


_lent: Any = _lend  # its first argument is numba's own


@overload(lent)
def _lent_rules(rules):
    if not isinstance(rules, types.Record):
        return None
    return lambda rules: _lent(rules)  # noqa: PLW0108  numba compiles it


@intrinsic
def _prefetch(_typing_context, address):
    def code(_context, builder, _signature, arguments):
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, number, number, number])
        prefetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        to_read, to_keep, data = number(0), number(3), number(1)
        pointer = builder.inttoptr(arguments[0], cgutils.voidptr_t)
        builder.call(prefetch, (pointer, to_read, to_keep, data))
        return _context.get_dummy_value()

    return types.void(types.intp), code


_fetched: Any = _prefetch  # its first argument is numba's own


@overload(fetch)
def _fetch(table, first, second):
    if table.ndim == 1:
        return lambda table, first, second: _fetched(table.ctypes.data + first * table.strides[0] + second)
    return lambda table, first, second: _fetched(
        table.ctypes.data + first * table.strides[0] + second * table.strides[1]
    )
