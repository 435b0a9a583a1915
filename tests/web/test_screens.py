"""Every other screen shows what the API tells, fits a phone, and says so when there is nothing."""

import pytest

from tests.web.conftest import DESK, SMALL, Pages, expect
from tests.web.pages_world import ETH

pytestmark = pytest.mark.asyncio(loop_scope="session")

POSITION = f"position/{ETH.replace('/', '%2F').replace(':', '%3A')}"
SCREENS = {
    POSITION: "the venue took 35.20 into the margin",
    "portfolio": "a gap leaves no time",
    "calculators": "Liquidation, margin ratio and distance",
    "ledger": "below band",
    "ledger/evidence": "the same in every trade",
    "trades": "Closed positions",
    "backtests": "ema-200",
    "backtests/btc-2025-02": "margin left alone",
    "alerts": "Liquidation is 2.1 % away",
    "logs": "feed.stale",
    "logs/journal": "crossed the slow one",
    "health": "var/paper.db",
    "more": "Margin ledger",
}


@pytest.mark.parametrize("size", [SMALL, DESK], ids=["360", "1280"])
async def test_every_screen_shows_what_the_bot_tells_and_fits(pages: Pages, size: tuple[int, int]) -> None:
    page = await pages.open(size=size)
    for route, said in SCREENS.items():
        await page.goto(f"{pages.address}/#/{route}")
        await expect(page.locator("main")).to_contain_text(said)
        assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, route


async def test_liquidation_now_and_after_the_next_move_stays_in_view(pages: Pages) -> None:
    """Price lines take no part in the library's own scaling: without help they are drawn out of sight."""
    page = await pages.open(POSITION)
    chart = page.locator(".candle-chart[data-low]")
    await expect(chart).to_have_count(1)
    after, entry = 2811.9, 2962.1
    low, high = [float(await chart.get_attribute(f"data-{name}") or "nan") for name in ("low", "high")]
    assert low <= after
    assert high >= entry


async def test_what_if_asks_the_bot_and_sends_nothing(pages: Pages) -> None:
    page = await pages.open(POSITION)
    slider = page.locator(".what-if input").first
    await slider.fill("49")
    await expect(page.locator(".what-if .main-row")).to_contain_text("2,796.10")
    assert pages.bot.orders == []


async def test_a_calculator_names_the_field_that_is_wrong(pages: Pages) -> None:
    page = await pages.open("calculators")
    await page.click("form button[type=submit]")
    await expect(page.locator(".field.wrong")).to_contain_text("This is needed.")
    await page.fill("#field-entry", "61,240.5")
    await page.click("form button[type=submit]")
    await expect(page.locator(".answer")).to_contain_text("55,423.1")


async def test_a_bot_with_a_password_asks_for_it_and_lets_go_again(pages: Pages) -> None:
    pages.bot.is_signed_out = pages.bot.needs_password = True
    page = await pages.open()
    await page.fill("#password", "wrong")
    await page.click("button[type=submit]")
    await expect(page.locator(".login .refusal")).to_contain_text("This is not the password")
    await page.fill("#password", "right")
    await page.click("button[type=submit]")
    await expect(page.locator(".position")).to_have_count(3)
    await page.click("text=Sign out")
    await expect(page.locator("#password")).to_be_visible()
    assert all("401" in each for each in pages.complaints)
    pages.complaints.clear()


async def test_an_open_alert_comes_first_and_can_be_acknowledged(pages: Pages) -> None:
    page = await pages.open("alerts")
    await expect(page.locator("main li").first).to_contain_text("Liquidation is 2.1 % away")
    await expect(page.locator("main button")).to_have_count(1)
    await page.click("main button")
    await expect(page.locator(".notice")).to_contain_text("The bot has taken it.")
    assert pages.bot.orders == [{"verb": "acknowledge", "alert_ids": ["0000000b"]}]


async def test_trouble_is_said_with_its_next_step(pages: Pages) -> None:
    page = await pages.open()
    pages.bot.is_signed_out = False
    await page.goto(f"{pages.address}/#/position/XRP%2FUSDT%3AUSDT")
    await expect(page.locator("main")).to_contain_text("This position is closed.")
    await page.goto(f"{pages.address}/#/nowhere")
    await expect(page.locator("main h1")).to_have_text("There is no such screen")
    pages.complaints[:] = [each for each in pages.complaints if "404" not in each]
