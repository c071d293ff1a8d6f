"""No text that a client or a model can send takes an evaluator down, or holds it up."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from test_evaluate_kinds_contract import Specimen, every, exchange, recorded

from modelward.api.exchange import Exchange, Message
from modelward.evaluate.scoring import score

CPU_SECONDS = 6.0
"""Of one exchange. 1 MB takes the slowest evaluator about one second; time that grows with its square takes hours."""
MEGABYTE = 1_000_000


def binary(size: int) -> str:
    drawn = random.Random(1)
    return bytes(drawn.randrange(256) for _ in range(size)).decode("latin-1")


TEXTS = {
    "empty": "",
    "spaces": " \t\n\u00a0\u200b",
    "control": "\x00\x01\x1b[31m\x7f",
    "surrogate": "abc \ud800 def \udfff",
    "binary": binary(MEGABYTE),
    "rtl": "שלום עולם, זה הכרטיס שלי. مرحبا، أين بطاقتي؟ " * 50,
    "rtl-override": "\u202eegassem siht si\u202c \u2066x\u2069" * 200,
    "emoji": "👩‍👩‍👧‍👦🏳️‍🌈👍🏽" * 20_000,
    "zalgo": ("Z" + "\u0335\u0322\u0328\u0301" * 30) * 5_000,
    "one-word": "x" * MEGABYTE,
    "words": "where is my card " * (MEGABYTE // 17),
    "no-spaces-cjk": "我的卡在哪里" * (MEGABYTE // 18),
    "blank-megabyte": " " * MEGABYTE + "x",
    "newlines": "\n \n" * (MEGABYTE // 3) + "x",
    "dots": "." * MEGABYTE + "x",
    "redos-a": "a" * 60_000 + "!",
    "redos-words": "aa " * 30_000 + "!",
    "redos-digits": "1" * 100_000 + "x",
    "redos-groups": "1-1." * 50_000 + "x",
    "redos-mail": "a@" * 50_000 + ".a" * 20_000,
    "redos-url": "a://b:" * 40_000,
    "redos-key": "password is the " * 20_000,
    "redos-equals": "key=" * 60_000,
    "redos-quotes": "\"'`" * 60_000,
    "redos-fence": "```" * 60_000 + "`",
    "redos-curl": "curl -H " * 40_000,
    "redos-tokens": "token ey" * 40_000,
    "redos-brackets": "[" * 200_000,
    "redos-braces": '{"a":' * 100_000,
    "redos-tags": "<" * 100_000 + ">",
    "redos-names": "Dr. Smith has " * 20_000,
    "redos-capitals": "Aa " * 60_000,
    "redos-hyphens": "-" * 100_000 + "|",
    "redos-dates": "01/02/" * 40_000,
    "redos-apostrophes": "a'" * 100_000,
    "redos-commas": "a," * 100_000,
    "long-number": "9" * 200_000,
    "huge-json": "[" + "1," * 200_000 + "1]",
}


def hostile(text: str) -> Iterator[Exchange]:
    """Yield exchanges with the text in every place that an evaluator reads."""
    yield exchange(1, messages=(Message("user", "Where is my card?"),), response=text)
    yield exchange(2, messages=(Message("user", text),), response="It is on its way to you.", searched=False)
    turns = ("system", text), ("user", text[:50_000]), ("assistant", "It is on its way."), ("user", "Where is my card?")
    yield exchange(3, messages=tuple(Message(*turn) for turn in turns), response="It is on its way to you.")


@pytest.mark.parametrize("name", sorted(TEXTS))
@every
async def test_hostile_text_is_judged_in_time_or_said_not_to_be_applicable(specimen: Specimen, name: str) -> None:
    scorer, _ = recorded(specimen)
    for one in hostile(TEXTS[name]):
        begun = time.process_time()
        (found,) = await score(scorer, [one])
        took = time.process_time() - begun
        assert took < CPU_SECONDS, f"{took:.1f} s for exchange {one.id}"
        if found.state == "Failed":
            assert found.label in ("TooComplex", "TooLarge"), "it says why, and is no bug"
        assert await score(scorer, [replace(one)]) == [found], "the same text is judged the same again"
