"""Every screen, by axe-core, in both colours and on a phone: nothing serious."""

import importlib.util
from pathlib import Path

import pytest

from tests.web.conftest import DESK, PHONE, Pages, expect
from tests.web.test_screens import SCREENS as SCREENS_BEHIND

pytestmark = pytest.mark.asyncio(loop_scope="session")

SCREENS = {"board": "Last margin moves", **SCREENS_BEHIND}
SERIOUS = {"serious", "critical"}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]


def axe_script() -> str:
    """Return axe-core's script. Skips where the package that holds it is not installed."""
    found = importlib.util.find_spec("axe_playwright_python")
    if found is None or found.origin is None:
        pytest.skip("axe-playwright-python is not installed: accessibility is not examined")
    return (Path(found.origin).parent / "axe.min.js").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("theme", "size", "most"), [("light", PHONE, 99), ("dark", DESK, 2)], ids=["phone-light", "desk-dark"]
)
async def test_no_screen_has_a_serious_finding(
    pages: Pages, theme: str, size: tuple[int, int], most: int
) -> None:
    """In the dark the colours of all screens are those of the board and a position."""
    script = axe_script()
    page = await pages.open(size=size, color_scheme=theme)
    await page.context.add_init_script(script)
    found = []
    for screen, said in list(SCREENS.items())[:most]:
        await page.goto(f"{pages.address}/?{screen}#/{screen}")
        await expect(page.locator("main")).to_contain_text(said)
        report = await page.evaluate(f"axe.run(document, {{resultTypes: ['violations'], runOnly: {RULES}}})")
        found += [
            (screen, each["id"], [node["target"] for node in each["nodes"]][:3], each["help"])
            for each in report["violations"]
            if each["impact"] in SERIOUS
        ]
    assert found == []
