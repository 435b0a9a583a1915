"""`ringfence data check`: whether recorded market data can be believed, before a result rests on it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from bot.cli import options
from bot.cli.output import aligned, columns, show_json

if TYPE_CHECKING:
    from bot.backtest.data_report import FileReport

_UNSOUND: Final = 1

app = typer.Typer(no_args_is_help=True, help="Recorded market data.", rich_markup_mode=None)


@app.callback()
def _root() -> None:
    pass


@app.command("check")
def check(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder of candle files, or of such folders.")
    ],
    symbols: options.Symbols = None,
    as_json: options.Json = False,
) -> None:
    """Count gaps, duplicates, disorder, impossible and odd candles, and marks far from the last price.

    Errors are what a replay refuses (exit code 1); warnings are for a person to look at.
    """
    from bot.backtest.data_files import folders_of_files, stems_of
    from bot.backtest.data_report import report_of

    wanted = {stem for symbol in symbols.split(",") for stem in stems_of(symbol.strip())} if symbols else None
    reports = [report_of(file, files) for files in folders_of_files(directory, wanted) for file in files]
    if as_json:
        show_json([_as_row(report) for report in reports])
    else:
        print("\n".join(_lines(directory, reports)))
    if not all(report.is_sound for report in reports):
        raise typer.Exit(_UNSOUND)


def _as_row(report: "FileReport") -> dict[str, Any]:
    findings = [finding._asdict() for finding in report.findings]
    return {**report._asdict(), "path": str(report.path), "findings": findings, "is_sound": report.is_sound}


def _lines(directory: Path, reports: "list[FileReport]") -> list[str]:
    shown = columns("file", "rows#", "from:from (UTC)", "until:last open (UTC)", "errors#", "warnings#")
    lines = aligned([_row(directory, report) for report in reports], shown)
    told = [line for report in reports for line in _findings(directory, report)]
    return [*lines, *([""] if told else []), *told, "", _verdict(reports)]


def _row(directory: Path, report: "FileReport") -> dict[str, Any]:
    from bot.core.timerange import utc_text

    return {
        "file": report.path.relative_to(directory),
        "rows": report.rows,
        "from": utc_text(report.first_ms) if report.rows else "-",
        "until": utc_text(report.last_ms) if report.rows else "-",
        **{
            f"{grade}s": sum(each.grade == grade for each in report.findings)
            for grade in ("error", "warning")
        },
    }


def _findings(directory: Path, report: "FileReport") -> list[str]:
    from bot.core.timerange import utc_text

    name = report.path.relative_to(directory)
    lines = []
    for finding in report.findings:
        more = f" ({finding.rows} rows in all)" if finding.rows > 1 else ""
        where = f"row {finding.row} ({utc_text(finding.ts_ms)} UTC) " if finding.row else ""
        lines.append(f"{finding.grade}: {name}: {where}{finding.text}{more}")
    return lines


def _verdict(reports: "list[FileReport]") -> str:
    unsound = sum(not report.is_sound for report in reports)
    odd = sum(any(each.grade == "warning" for each in report.findings) for report in reports)
    if unsound:
        return (
            f"{unsound} of {len(reports)} files have rows that a replay refuses: repair or fetch them again."
        )
    look = f"; {odd} have something to look at" if odd else ""
    return f"{len(reports)} files are sound{look}."
