"""The risk board in a browser: what is drawn is what the API says, and a person can act on it."""

from typing import Any

import pytest

from tests.web.conftest import DESK, PHONE, SMALL, Pages, expect
from tests.web.pages_world import BTC, ETH, SOL, empty_board, position, seen_from

pytestmark = pytest.mark.asyncio(loop_scope="session")

# Where each rung is drawn, and where its price lies on the rail's own scale.
PLACES = """(card) => {
    const rail = card.querySelector('.ladder-inner');
    const box = rail.getBoundingClientRect();
    const from = Number(rail.dataset.from), to = Number(rail.dataset.to);
    return [...card.querySelectorAll('.rung')].filter((rung) => rung.dataset.edge !== '1').map((rung) => ({
        kind: rung.dataset.kind, price: Number(rung.dataset.price),
        drawn: rung.getBoundingClientRect().left - box.left,
        meant: (Number(rung.dataset.price) - from) / (to - from) * box.width,
        width: box.width,
    }));
}"""
BOXES = """(ladder) => [...ladder.querySelectorAll('.label')].map((label) => {
    const box = label.getBoundingClientRect();
    return {text: label.textContent, left: box.left, right: box.right, top: box.top, bottom: box.bottom,
            isCut: label.scrollWidth > label.clientWidth + 1};
})"""


def overlaps(one: dict, other: dict) -> bool:
    """Return whether two boxes share a pixel."""
    beside = one["right"] <= other["left"] + 0.5 or other["right"] <= one["left"] + 0.5
    return not beside and one["top"] < other["bottom"] - 0.5 and other["top"] < one["bottom"] - 0.5


def card(page: Any, symbol: str) -> Any:
    """Return a position's card."""
    return page.locator(f'[data-symbol="{symbol}"]')


@pytest.mark.parametrize("size", [SMALL, PHONE, DESK], ids=["360", "390", "1280"])
async def test_ladders_are_to_scale_and_labels_never_overlap(pages: Pages, size: tuple[int, int]) -> None:
    page = await pages.open(size=size)
    for row in pages.bot.board["positions"]:
        drawn = await card(page, row["symbol"]).evaluate(PLACES)
        by_kind = {(each["kind"], each["price"]) for each in drawn}
        assert ("mark", row["mark"]) in by_kind
        assert ("liquidation", row["liquidation_price"]) in by_kind
        for each in drawn:
            assert abs(each["drawn"] - each["meant"]) < 1.0, each
            assert 0.0 <= each["meant"] <= each["width"], each
        side = 1.0 if row["side"] == "long" else -1.0
        in_order = sorted(drawn, key=lambda each: side * each["price"])
        assert in_order == sorted(drawn, key=lambda each: each["drawn"]), "danger stands on the left"
        labels = await card(page, row["symbol"]).locator(".ladder").evaluate(BOXES)
        assert len(labels) >= 4
        assert not [each["text"] for each in labels if each["isCut"]]
        clashes = [
            (one["text"], other["text"])
            for number, one in enumerate(labels)
            for other in labels[:number]
            if overlaps(one, other)
        ]
        assert clashes == []
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_a_rung_out_of_range_stands_at_the_edge_with_its_price(pages: Pages) -> None:
    page = await pages.open()
    label = card(page, BTC).locator(".label.take_profit", has_text="78,450.0")
    await expect(label).to_contain_text("→")


async def test_the_nearest_to_liquidation_comes_first_and_the_title_says_it(pages: Pages) -> None:
    page = await pages.open()
    order = await page.eval_on_selector_all(".position", "cards => cards.map(card => card.dataset.symbol)")
    assert order == [ETH, BTC, SOL]
    assert (await page.title()).replace("\xa0", " ") == "2.1 % ETH long · Ringfence"


async def test_a_mark_that_moves_is_drawn_and_the_rest_stays(pages: Pages) -> None:
    page = await pages.open()
    before = {each["kind"]: each["drawn"] for each in await card(page, ETH).evaluate(PLACES)}
    pages.bot.board["positions"][2] = seen_from(position(ETH), 2889.5)
    await expect(card(page, ETH).locator(".mark-price")).to_have_text("2,889.50")
    after = {each["kind"]: each["drawn"] for each in await card(page, ETH).evaluate(PLACES)}
    assert after["mark"] == pytest.approx(after["add"], abs=1.0)
    assert after["mark"] < before["mark"]
    assert after["stop"] == before["stop"], "only what moved is moved"


async def test_an_old_number_has_no_colour(pages: Pages) -> None:
    """Every text of a stale card has the one grey, signs of profit among them."""
    page = await pages.open()
    colours = """(card) => [...new Set([...card.querySelectorAll('dd, dd *, b, .label, .clause, .side')]
        .map((each) => getComputedStyle(each).color))]"""
    assert len(await card(page, SOL).evaluate(colours)) == 1
    assert len(await card(page, BTC).evaluate(colours)) > 3
    await expect(card(page, SOL)).to_contain_text("the newest mark is 14 s old")


async def test_silence_greys_everything_and_is_said(pages: Pages) -> None:
    page = await pages.open()
    pages.bot.is_silent = True
    await expect(page.locator(".note.danger")).to_contain_text("every number below is old")
    assert await page.locator(".position.stale").count() == 3
    await expect(page.locator(".fact.guard")).to_contain_text("unknown")
    assert (await page.title()).startswith("OLD ")
    pages.bot.is_silent = False
    await expect(page.locator(".note.danger")).to_have_count(0)
    assert await page.locator(".position.stale").count() == 1


async def test_without_a_position_the_board_says_what_the_bot_waits_for(pages: Pages) -> None:
    pages.bot.board = empty_board()
    page = await pages.open()
    await expect(page.locator(".empty")).to_contain_text("then ema_cross looks at BTC/USDT")
    assert (await page.title()).startswith("flat")


async def test_halt_is_two_presses_on_one_spot_by_the_keyboard_alone(pages: Pages) -> None:
    page = await pages.open(size=PHONE)
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.id") == "halt"
    before = await page.locator("#halt").bounding_box()
    await page.keyboard.press("Enter")
    assert await page.locator("#halt").bounding_box() == before
    await expect(page.locator("#halt-meaning")).to_contain_text("Press again to halt")
    assert pages.bot.orders == []
    await page.keyboard.press("Enter")
    await expect(page.locator(".fact.guard")).to_contain_text("HALTED")
    assert [order["verb"] for order in pages.bot.orders] == ["halt"]
    await expect(page.locator(".note.halted")).to_contain_text("halted from the page")


async def test_margin_is_added_by_the_keyboard_after_its_effect_was_shown(pages: Pages) -> None:
    page = await pages.open()
    add = card(page, ETH).locator('[data-verb="add"]')
    await add.focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("#amount")).to_be_focused()
    await page.keyboard.type("35.2")
    await expect(page.locator("dialog .main-row")).to_contain_text("2,810.18")
    assert pages.bot.orders == []
    await page.keyboard.press("Enter")
    await expect(page.locator("dialog .asked")).to_contain_text("2,810.18")
    await expect(page.locator("dialog [type=submit]")).to_be_enabled()
    await page.keyboard.press("Enter")
    await expect(page.locator("dialog")).to_have_count(0)
    assert pages.bot.orders[-1] == {"verb": "add", "symbol": ETH, "amount_quote": 35.2, "confirm": "token-1"}
    await expect(card(page, ETH).locator(".label.liquidation")).to_contain_text("2,810.18")
    assert await add.evaluate("button => button === document.activeElement")


async def test_closing_everything_and_going_on_are_asked_twice_on_one_spot(pages: Pages) -> None:
    page = await pages.open()
    await page.click("text=Close all positions")
    await expect(page.locator(".flatten")).to_contain_text("This will flatten.")
    assert pages.bot.board["positions"] != []
    await page.click("text=Press again to close all")
    await expect(page.locator(".empty")).to_be_visible()
    await page.click("#halt")
    await page.click("#halt")
    await page.click("text=Resume entries")
    await page.click("text=Press again to resume")
    await expect(page.locator(".fact.guard")).to_contain_text("armed")
    asked = [(order["verb"], order.get("confirm")) for order in pages.bot.orders]
    assert asked[:2] == [("flatten", None), ("flatten", "token-1")]
    assert asked[2:] == [("halt", None), ("resume", None), ("resume", "token-1")]


async def test_a_refused_amount_is_said_and_cannot_be_given(pages: Pages) -> None:
    page = await pages.open()
    await card(page, ETH).locator('[data-verb="release"]').click()
    for text, said in (("abc", "not a number"), ("-3", "above zero"), ("200", "less than half")):
        await page.fill("#amount", text)
        await expect(page.locator("dialog .refusal")).to_contain_text(said)
        await expect(page.locator("dialog [type=submit]")).to_be_disabled()
    await page.keyboard.press("Escape")
    await expect(page.locator("dialog")).to_have_count(0)
    assert pages.bot.orders == []
