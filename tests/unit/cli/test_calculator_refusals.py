"""What `ringfence calc` refuses: flags, files of positions and price paths, each by name and value."""

import pytest

from tests.unit.cli.conftest import assert_one_paragraph, files_in

LONG = ("--side", "long", "--entry", "60000", "--leverage", "10", "--margin", "500")
TRADE = ("--side", "long", "--entry", "60000", "--stop", "58200")

REFUSED = [
    (("position",), "--side and --entry and --leverage"),
    (("position", *LONG, "--mark", "54000"), "past its liquidation price"),
    (("position", "--side", "long", "--entry", "nan", *LONG[4:]), '--entry is "nan"'),
    (("position", "--side", "long", "--entry", "-1", *LONG[4:]), '--entry is "-1"'),
    (("position", "--side", "long", "--entry", "0", *LONG[4:]), '--entry is "0"'),
    (("position", "--side", "long", "--entry", "inf", *LONG[4:]), '--entry is "inf"'),
    (
        ("position", "--side", "long", "--entry", "6e4", "--leverage", "1000", "--margin", "500"),
        "at most 100",
    ),
    (("position", "--side", "long", "--entry", "6e4", "--leverage", "1", "--margin", "9e9"), "last tier"),
    (("position", *LONG, "--maintenance-rate", "20%"), "--maintenance-rate of 20 % allows at most 5"),
    (("position", *LONG, "--quantity", "1"), "both --quantity and --margin were given"),
    (("position", *LONG[:6]), "neither of --quantity and --margin was given"),
    (("position", *LONG, "--symbol", "BTCX"), 'did you mean "BTC"?'),
    (("position", *LONG, "--symbol", "BTC/USD:BTC"), "inverse contract has no known tiers"),
    (("position", *LONG, "--sigma-day", "3"), "write 3%"),
    (("position", *LONG, "--sigma-day", "0%"), '--sigma-day is "0%"'),
    (("position", *LONG, "--maintenance-amount", "5"), "--maintenance-rate"),
    (("position", *LONG, "--db", "x.db"), "both say which position"),
    (("position", "--db", "x.db"), "no database"),
    (("position", "--live"), "no database"),
    (("position", *LONG, "--stop", "61000"), '--stop is "61000"'),
    (("position", "--file", "book.yaml"), "neither a .toml nor a .json"),
    (("position", "--file", "none.json"), "no file none.json"),
    (("leverage", "--side", "long", "--entry", "6e4", "--stop", "61000", "--quantity", "1"), "lies below"),
    (("leverage", *TRADE), "--quantity or --margin"),
    (("leverage", *TRADE, "--quantity", "1", "--inverse"), "linear"),
    (("leverage", *TRADE, "--quantity", "1", "--max-leverage", "0.5"), "--max-leverage"),
    (("leverage", *TRADE, "--quantity", "1", "--buffer", "-1%"), "--buffer"),
    (("size", *TRADE), "--equity"),
    (("size", *TRADE, "--equity", "10"), "less than one quantity step"),
    (("size", *TRADE, "--equity", "1000", "--risk", "0"), '--risk is "0"'),
    (("size", *TRADE, "--equity", "1000", "--target", "59000"), "winning side"),
    (("size", *TRADE, "--equity", "1000", "--leverage", "5"), "Leave them out"),
    (("size", *LONG[:6], "--quantity", "1"), "--sigma-day"),
    (
        ("size", "--side", "short", "--entry", "100", "--stop", "200", "--equity", "9", "--symbol", "SOL"),
        "--target",
    ),
    (("size", "--file", "none.toml"), "no file none.toml"),
    (("size", "--file", "book.toml", "--target", "9"), "--target is of one trade"),
    (("size", "--file", "book.toml", "--stop", "9"), "both say which position"),
    (("topup", *LONG), "one goal"),
    (("topup", *LONG, "--distance", "10%", "--probability", "1%"), "one goal"),
    (("topup", *LONG, "--distance", "100%"), "--distance"),
    (("topup", *LONG, "--liquidation", "61000"), "losing side"),
    (("topup", *LONG, "--probability", "1%"), "--sigma-day"),
    (("funding", *LONG), "--funding-rate"),
    (("funding", *LONG, "--funding-rate", "nan"), '--funding-rate is "nan"'),
    (("funding", *LONG, "--funding-rate", "0.01%", "--every", "0h"), "--every"),
    (("tiers", "--symbol", "X"), '--symbol is "X"'),
    (("whatif", *LONG), "none of them"),
    (("whatif", *LONG, "--shock", "-100%"), '--shock is "-100%"'),
    (("whatif", *LONG, "--shock", "-5"), "write -5%"),
    (("whatif", *LONG, "--shock", "DOGE=-5%"), '"DOGE"'),
    (("whatif", *LONG, "--shock", "-5%,-6%"), "two moves"),
    (("whatif", *LONG, "--shock", "BTC=-5%,BTC=-6%"), "twice"),
    (("whatif", *LONG, "--shock", "-5%", "--to", "-3%"), "--shock and --to"),
    (("whatif", *LONG, "--shock", "-5%", "--free", "-1"), '--free is "-1"'),
    (("whatif", *LONG, "--shock", "-5%", "--policy", "volatility"), "--sigma-day"),
    (("whatif", *LONG, "--to", "-5%", "--sigma-day", "3%", "--policy", "volatilty"), '"volatility"'),
    (("whatif", *LONG, "--to", "-5%", "--sigma-day", "3%", "--over", "3x"), "--over"),
    (("whatif", *LONG, "--to", "-5%", "--sigma-day", "3%", "--over", "9999d"), "--over"),
    (("whatif", *LONG, "--path", "x.csv", "--over", "3h"), "--over"),
    (("whatif", *LONG, "--to", "-5%", "--timerange", "20250101-20250102"), "--timerange"),
    (("whatif", *LONG, "--shock", "-5%", "--relative"), "--relative"),
    (("whatif", *LONG, "--data", "none", "--sigma-day", "3%"), "none"),
    (("whatif", *LONG, "--maintenance-rate", "1%", "--inverse", "--shock", "-5%"), "inverse contract"),
    (("scenario", "btc500"), '"btc-500"'),
    (("scenario", "portfolio", "--account", "10"), "--account"),
    (("scenario", "portfolio", "--account", "nan"), "--account"),
]


@pytest.mark.parametrize(("arguments", "says"), REFUSED, ids=lambda value: " ".join(value)[:60])
def test_bad_input_is_one_paragraph_that_names_it(ringfence, workplace, arguments, says):
    outcome = ringfence("calc", *arguments)
    assert outcome.code == 2
    assert_one_paragraph(outcome)
    assert says in outcome.err
    assert files_in(workplace) == []


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.toml", "", "holds no position"),
        ("a.toml", "x", "cannot be read"),
        ("a.toml", "fre = 1\n[[positions]]\nside = 'long'", 'did you mean "free"?'),
        ("a.toml", "[[positions]]\nentrry = 1", '"positions[0].entrry", did you mean "entry"?'),
        ("a.toml", "free = -1\n[[positions]]\nside='long'\nentry=6e4\nleverage=10\nmargin=500", "free is -1"),
        ("a.toml", "side='long'\nentry=nan\nleverage=10\nmargin=500", "a.toml: entry is nan"),
        ("a.toml", "side='long'\nentry=6e4\nleverage=10\nmargin=true", "margin is True"),
        ("a.toml", "side='long'\nentry=6e4\nleverage=10", "one size"),
        ("a.toml", "[[positions]]\nside='long'\nentry=6e4\nleverage=10\nmargin=5\n" * 2, "twice"),
        ("a.json", "[]", "holds no position"),
        ("a.json", "3", "instead of positions"),
        ("a.json", "[3]", "positions[0] is 3"),
        ("a.json", '{"positions": 3}', "holds no position"),
        ("a.json", "[" * 5_000, "cannot be read"),
        ("a.json", '{"side": "up", "entry": 1, "leverage": 1, "margin": 1}', 'side is "up"'),
    ],
)
def test_a_bad_file_is_refused_with_its_key(ringfence, workplace, name, text, says):
    (workplace / name).write_text(text, encoding="utf-8")
    outcome = ringfence("calc", "position", "--file", name)
    assert outcome.code == 2
    assert_one_paragraph(outcome)
    assert says in outcome.err


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "cannot be read"),
        ("a,b\n1,2\n", "neither candles nor marks; it has a, b"),
        ("timestamp,mark\n", "has no rows"),
        ("timestamp,mark\n1738454400000,nan\n", "no finite number"),
        ("timestamp,mark\n1738454400000,0\n", "not positive"),
        ("timestamp,mark\n1738454460000,6e4\n1738454400000,6e4\n", "not sorted"),
        ("timestamp,price\n1738454400000,100\n", "begins at 100"),
        ("timestamp,open,high,low,close\n1738454400000,6e4,5e4,6e4,6e4\n", "high below"),
        ("timestamp,open,high,low,close\n1,6e4,6e4,6e4,6e4\n", "grid"),
    ],
)
def test_a_bad_path_is_refused_with_its_row(ringfence, workplace, text, says):
    (workplace / "path.csv").write_text(text, encoding="utf-8")
    outcome = ringfence("calc", "whatif", *LONG, "--sigma-day", "3%", "--path", "path.csv")
    assert outcome.code == 2
    assert_one_paragraph(outcome)
    assert says in outcome.err


def test_paths_of_different_times_and_unnamed_ones_are_refused(ringfence, workplace):
    rows = [("BTC", 60_000), ("ETH", 3_000)]
    (workplace / "book.toml").write_text(
        "".join(
            f'[[positions]]\nsymbol = "{coin}"\nside = "long"\nentry = {price}\nleverage = 5\nmargin = 100\n'
            "sigma_day = 0.03\n"
            for coin, price in rows
        ),
        encoding="utf-8",
    )
    (workplace / "a.csv").write_text("timestamp,mark\n1738454400000,60000\n", encoding="utf-8")
    (workplace / "b.csv").write_text("timestamp,mark\n1738454460000,3000\n", encoding="utf-8")
    for paths, says in (
        (("--path", "a.csv"), "say whose it is"),
        (("--path", "BTC=a.csv", "--path", "ETH=b.csv"), "other times"),
        (("--path", "BTC=a.csv", "--path", "BTC=b.csv"), "has a path already"),
        (("--path", "BTC=a.txt"), "none of"),
    ):
        outcome = ringfence("calc", "whatif", "--file", "book.toml", *paths)
        assert outcome.code == 2
        assert says in outcome.err
