"""The flags of the calculators. All are texts here: they are read like the keys of a file, see given.py."""

from pathlib import Path
from typing import Annotated

import typer

Text = str | None

Symbol = Annotated[Text, typer.Option("--symbol", help="Whose leverage tiers apply; BTC is BTC/USDT:USDT.")]
Side = Annotated[Text, typer.Option("--side", metavar="long|short")]
Entry = Annotated[Text, typer.Option("--entry", metavar="PRICE", help="Entry price, quote per base.")]
Leverage = Annotated[Text, typer.Option("--leverage", metavar="X", help="The venue's leverage setting.")]
Quantity = Annotated[
    Text, typer.Option("--quantity", metavar="NUMBER", help="Base units (inverse: USD of contracts).")
]
Margin = Annotated[
    Text, typer.Option("--margin", metavar="AMOUNT", help="Initial margin, instead of --quantity.")
]
Wallet = Annotated[
    Text, typer.Option("--wallet", metavar="AMOUNT", help="Isolated wallet now; default: the initial margin.")
]
Mark = Annotated[Text, typer.Option("--mark", metavar="PRICE", help="Mark price; default: the entry.")]
Stop = Annotated[Text, typer.Option("--stop", metavar="PRICE", help="Stop price.")]
SigmaDay = Annotated[
    Text, typer.Option("--sigma-day", metavar="PERCENT", help="Volatility per day: 3% or 0.03.")
]
Atr = Annotated[Text, typer.Option("--atr", metavar="PRICE", help="Average true range, in price units.")]
FundingRate = Annotated[
    Text, typer.Option("--funding-rate", metavar="PERCENT", help="Of notional, per payment: 0.01%.")
]
MaintenanceRate = Annotated[
    Text, typer.Option("--maintenance-rate", metavar="PERCENT", help="One rate instead of the tiers.")
]
MaintenanceAmount = Annotated[
    Text, typer.Option("--maintenance-amount", metavar="AMOUNT", help="With it: the maintenance amount.")
]
Venue = Annotated[
    Text, typer.Option("--venue", metavar="ID", help="ccxt id of the venue whose rules apply: binanceusdm.")
]
CloseFeeRate = Annotated[
    Text,
    typer.Option("--close-fee-rate", metavar="PERCENT", help="Fee of closing, where the venue counts it."),
]
Inverse = Annotated[bool, typer.Option("--inverse", help="Settled in the base coin.")]
File = Annotated[
    Path | None,
    typer.Option("--file", metavar="FILE", help="Positions in TOML or JSON: these flags as keys."),
]
Live = Annotated[
    bool, typer.Option("--live", help="Open positions of the newest database in var/, at its last commit.")
]
MaxLeverage = Annotated[Text, typer.Option("--max-leverage", metavar="X", help="Default: 25.")]
Buffer = Annotated[
    Text,
    typer.Option(
        "--buffer", metavar="PERCENT", help="Stop to liquidation; default: --sigma-day, at least 1%."
    ),
]
