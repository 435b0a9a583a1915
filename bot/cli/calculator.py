"""`ringfence calc`: what positions mean and would mean; nothing is written, and nobody is disturbed."""

import typer

from bot.cli.calculators.funding import funding
from bot.cli.calculators.leverage import leverage
from bot.cli.calculators.position import position
from bot.cli.calculators.scenario import scenario
from bot.cli.calculators.size import size
from bot.cli.calculators.tiers import tiers
from bot.cli.calculators.topup import topup
from bot.cli.calculators.whatif import whatif

app = typer.Typer(
    help="Calculators: margin, leverage, size, funding, tiers, what if. From flags, a file or a database.",
    rich_markup_mode=None,
    no_args_is_help=True,
)

app.command("position")(position)
app.command("leverage")(leverage)
app.command("size")(size)
app.command("topup")(topup)
app.command("funding")(funding)
app.command("tiers")(tiers)
app.command("whatif")(whatif)
app.command("scenario")(scenario)
