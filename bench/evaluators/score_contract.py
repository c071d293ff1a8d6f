"""What our own part of score/v1 costs a record: writing requests, masking texts, signing them and reading replies.

Run `python bench/evaluators/score_contract.py`; the evaluator's own time is not in it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace

from modelward.api.exchange import Exchange, Message
from modelward.evaluate.port import ScoringReply
from modelward.evaluate.score_contract.replies import scores
from modelward.evaluate.score_contract.requests import requests
from modelward.evaluate.score_contract.signature import signature

RECORDS, CHARS, REPEATS = 640, 2_000, 3
WORDS = "Your card ending 4242 is on its way to ann@example.com and should be there on Friday. "


def exchanges(content: str) -> list[Exchange]:
    """Return exchanges whose question and answer have CHARS characters together."""
    text = (WORDS * (CHARS // len(WORDS) + 1))[: CHARS // 2]
    one = Exchange(
        id="e", time_ms=1, endpoint="retail/chat", model="m", revision="r", operation="chat", status=200, outcome="ok",
        content="Full" if content == "Full" else "Redacted", messages=(Message("user", text),), response=text,
    )  # fmt: skip
    return [replace(one, id=f"chatcmpl-{number:06}") for number in range(RECORDS)]


def round_trip(rows: list[Exchange]) -> int:
    """Write all requests, sign them, and read a reply to each; return how many records were scored."""
    scored = 0
    for one in requests("bench", {}, rows, "Redacted"):
        signature("key", one.body, 1)
        reply = json.dumps(
            {"scores": [{"id": name, "state": "Scored", "flagged": True, "value": 0.5} for name in one.ids]}
        )
        scored += sum(
            found.state == "Scored" for found in scores(ScoringReply(200, reply.encode()), one.ids, ()).values()
        )
    return scored


def ms_a_record(run: Callable[[], int]) -> float:
    """Return the best of a few repeats, in milliseconds of processor time."""
    best = float("inf")
    for _ in range(REPEATS):
        begin = time.process_time()
        assert run() == RECORDS
        best = min(best, time.process_time() - begin)
    return best * 1_000 / RECORDS


if __name__ == "__main__":
    for content in ("Redacted", "Full"):
        rows = exchanges(content)
        print(
            f"captured {content}: {ms_a_record(lambda rows=rows: round_trip(rows)):.3f} ms a record of {CHARS} letters"
        )
