"""What a venue said is told as its code and its message, whoever wraps it in what."""

import pytest

from bot.exchange.venue_words import venue_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            'okx {"code":"1","data":[{"algoId":"","sCode":"51169","sMsg":"No, nothing held."}],"msg":"All"}',
            "51169: No, nothing held.",
        ),
        ('okx {"code":"1","data":[{"sCode":"51169","sMsg":"cut off he', "51169: cut off he"),
        (
            'OperationRejected: binanceusdm {"code":-2022,"msg":"ReduceOnly Order is rejected."}',
            "-2022: ReduceOnly Order is rejected.",
        ),
        (
            'bybit {"retCode":110017,"retMsg":"position is zero","result":{},"time":1}',
            "110017: position is zero",
        ),
        ('gate {"label":"POSITION_EMPTY"}', "the venue's code POSITION_EMPTY"),
        (
            "RequestTimeout: okx GET http://127.0.0.1 timed out",
            "RequestTimeout: okx GET http://127.0.0.1 timed out",
        ),
        ("x" * 500, "x" * 157 + "..."),
    ],
)
def test_a_reply_becomes_its_code_and_its_message(text: str, words: str) -> None:
    assert venue_words(text) == words
