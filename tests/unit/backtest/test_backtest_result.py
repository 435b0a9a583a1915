"""The columns of a backtest's result."""

import numpy as np

from bot.backtest.result import Account, Moves, Names, Shadows, Trades, table_of


def test_no_rows_make_empty_columns_of_the_right_type() -> None:
    for table in (table_of(Trades, []), table_of(Shadows, []), table_of(Account, [])):
        assert all(column.size == 0 for column in table)
    assert table_of(Moves, []).ts_ms.dtype == np.int64
    assert table_of(Moves, []).mark.dtype == np.float64


def test_times_and_counts_stay_whole_and_money_does_not() -> None:
    table = table_of(Account, [(2**61 + 1, 1, 2, 3, float("nan"))])
    assert table.ts_ms[0] == 2**61 + 1
    assert table.equity_quote().tolist() == [3.0]


def test_net_of_a_trade_pays_fees_and_takes_funding() -> None:
    row = dict.fromkeys(Trades._fields, 0) | {"pnl_quote": 10.0, "fees_quote": 3.0, "funding_quote": -0.5}
    assert table_of(Trades, [tuple(row.values())]).net_quote().tolist() == [6.5]


def test_names_are_numbered_in_the_order_they_are_met() -> None:
    names = Names("stop")
    assert [names["exit"], names["stop"], names["exit"]] == [1, 0, 1]
    assert names.seen() == ("stop", "exit")
