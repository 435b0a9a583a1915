"""Laws of where labels go, over many drawn ladders, asked of the very module the pages run."""

import random
from typing import Any

import pytest

from tests.web.conftest import Pages

pytestmark = pytest.mark.asyncio(loop_scope="session")

GAP = 10.0
PLACED = """async ({cases}) => {
    const {placeLabels} = await import('/js/ladder_labels.js');
    return cases.map(({labels, width}) => placeLabels(labels, width));
}"""
STRETCHES = """async ({positions}) => {
    const {chooseStretch, shareOf} = await import('/js/ladder_scale.js');
    let kept = null;
    return positions.map((position) => {
        const fresh = chooseStretch(position);
        kept = chooseStretch(position, kept);
        return {mark: shareOf(fresh, position.mark), kept: shareOf(kept, position.mark),
                liquidation: shareOf(fresh, position.liquidation_price),
                again: chooseStretch(position, fresh) === fresh};
    });
}"""


def drawn_case(draw: random.Random) -> dict[str, Any]:
    """Return a rail between a phone's and a desk's width with up to twelve labels, some at one spot."""
    width = draw.uniform(260.0, 1100.0)
    spots = [draw.uniform(0.0, width) for _ in range(draw.randint(1, 4))]
    labels = [
        {
            "id": f"label-{number}",
            "x": draw.choice([draw.choice(spots), draw.uniform(0.0, width), 0.0, width]),
            "width": draw.uniform(30.0, 140.0),
            "weight": draw.randint(1, 9),
            "isOptional": draw.random() < 0.1,
        }
        for number in range(draw.randint(1, 12))
    ]
    return {"labels": labels, "width": width}


async def test_labels_never_overlap_and_stay_over_their_rungs(pages: Pages) -> None:
    page = await pages.open()
    draw = random.Random(7)
    cases = [drawn_case(draw) for _ in range(600)]
    answers = await page.evaluate(PLACED, {"cases": cases})
    for case, places in zip(cases, answers, strict=True):
        by_id = {label["id"]: label for label in case["labels"]}
        assert {each["id"] for each in places} >= {
            name for name, one in by_id.items() if not one["isOptional"]
        }
        for number, each in enumerate(places):
            label = by_id[each["id"]]
            right = each["left"] + label["width"]
            assert each["left"] >= -1e-6
            assert right <= case["width"] + 1e-6
            assert each["left"] - 1e-6 <= label["x"] <= right + 1e-6, "a leader line is vertical"
            for other in places[:number]:
                beside = by_id[other["id"]]
                if other["lane"] == each["lane"]:
                    apart = max(each["left"] - other["left"] - beside["width"], other["left"] - right)
                    assert apart >= GAP - 1e-6


async def test_a_stretch_holds_the_mark_and_is_kept_while_it_fits(pages: Pages) -> None:
    page = await pages.open()
    draw = random.Random(11)
    positions = []
    for _ in range(400):
        side, mark = draw.choice([1.0, -1.0]), 10 ** draw.uniform(-2.0, 5.0)
        far = draw.uniform(0.005, 0.3)
        rungs = [
            {"kind": "stop", "price": mark * (1 - side * far * draw.uniform(0.2, 0.9))},
            {"kind": "take_profit", "price": mark * (1 + side * draw.uniform(0.001, 0.5))},
        ]
        liquidation = mark * (1 - side * far)
        name = "long" if side > 0 else "short"
        positions.append(
            {
                "side": name,
                "mark": mark,
                "entry_price": mark,
                "liquidation_price": liquidation,
                "rungs": rungs,
            }
        )
    for each in await page.evaluate(STRETCHES, {"positions": positions}):
        assert 0.0 < each["mark"] < 1.0
        assert 0.0 < each["kept"] < 1.0
        assert 0.0 < each["liquidation"] < each["mark"]
        assert each["again"], "the same position keeps its stretch"
