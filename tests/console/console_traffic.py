"""A day of traffic of the sample endpoint, as the operator and a collector send it: minutes, results, exchanges."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from modelward.api.budget import COST_UNITS
from modelward.api.evaluation import Counts, EvaluatorFacts, Example, WindowResult
from modelward.api.exchange import Exchange, Message, Timings, Usage
from modelward.api.history import (
    BOUNDS,
    MINUTE_MS,
    CallerCount,
    HistoryPart,
    HistoryRow,
    Latency,
    LevelSpread,
    ObjectiveCount,
)
from modelward.api.kept_score import KeptScore, kept_score_to_json, shown_set
from modelward.api.outcome import RequestClass

DAY = 1440
GAP = range(730, 775)
"""Minutes of the day that were not watched."""
ROLLED_OUT = 1200
"""The minute of the day at which the new revision began to serve."""
FLIPPED_MIN = 207
"""So many minutes ago the check began to fail, as the samples have it."""


def minutes(namespace: str, name: str, now_ms: int) -> Iterator[HistoryRow]:
    """Yield a day of minutes, the newest last; of those in the gap there is none."""
    dice = random.Random(5)
    first = (now_ms // MINUTE_MS - DAY) * MINUTE_MS
    for minute in range(DAY):
        if minute not in GAP:
            yield _minute(namespace, name, first + minute * MINUTE_MS, minute, dice)


def _minute(namespace: str, name: str, at_ms: int, minute: int, dice: random.Random) -> HistoryRow:
    hour = (15 + minute / 60) % 24
    load = 0.06 + 0.94 / (1 + math.exp(-1.1 * (hour - 8.5))) / (1 + math.exp(0.9 * (hour - 18.5)))
    rolling = ROLLED_OUT <= minute < ROLLED_OUT + 40
    served = round(210 * load * dice.uniform(0.93, 1.07))
    outcomes: dict[RequestClass, int] = {
        "ok": served,
        "error": dice.randrange(8, 22) if rolling else int(dice.random() < 0.03),
        "client_error": round(3 * load * dice.random()),
        "overload": dice.randrange(14, 30) if rolling else 0,
        "cancelled": round(7 * load * dice.random()),
    }
    slow = 2.6 if rolling else 1.0
    latencies = {
        "ttft": _buckets("ttft", served, 0.17 * slow * (0.7 + load), dice),
        "tpot": _buckets("tpot", served, 0.018 * slow, dice),
    }
    revision = "7f9c4d" if minute >= ROLLED_OUT else "5c2e1a"
    replicas = 1 if load < 0.35 else 2 if load < 0.75 else 3
    cost = round(COST_UNITS * served * 0.00016)
    part = HistoryPart(revision, "acme/bank-chat-7b", outcomes, latencies, served * 486, served * 126, cost, "EUR")  # type: ignore[arg-type]
    levels = {
        "ready": LevelSpread(4, 4 * replicas, replicas, replicas),
        "desired": LevelSpread(4, 4 * replicas, replicas, replicas),
    }
    bad = ObjectiveCount("banking", "errors", served, outcomes["error"])
    return HistoryRow(namespace, name, at_ms, MINUTE_MS, (part,), levels, (bad,), _callers(served, cost))  # type: ignore[arg-type]


def _callers(served: int, cost: int) -> tuple[CallerCount, ...]:
    """Return what two teams and the rest used of a minute."""
    shares = (("mobile-app", 6), ("branch-desk", 3), ("other", 1))
    return tuple(
        CallerCount(
            name,
            served * part // 10,
            served * 486 * part // 10,
            served * 126 * part // 10,
            0,
            {"EUR": cost * part // 10},
        )
        for name, part in shares
    )


def _buckets(name: Latency, count: int, middle_s: float, dice: random.Random) -> tuple[int, ...]:
    bounds = BOUNDS[name]
    found = [0] * (len(bounds) + 1)
    for _ in range(min(count, 60)):
        value = middle_s * math.exp(dice.gauss(0, 0.35))
        found[next((place for place, bound in enumerate(bounds) if value <= bound), len(bounds))] += 1
    return tuple(found)


def results(namespace: str, name: str, now_ms: int) -> Iterator[WindowResult]:
    """Yield a day of results of the check that began to fail with the new revision."""
    hour = 60 * MINUTE_MS
    begin = (now_ms // hour - 23) * hour
    for index in range(23):
        late = index * 60 > ROLLED_OUT - 60
        n, flagged = 68, 22 if late else 3 + index % 2
        w, f = float(n), float(flagged)
        counts = Counts(n, flagged, 0, 0, w, w, f, w, f, f)  # each of weight one, and a conversation by itself
        revision = "7f9c4d" if late else "5c2e1a"
        examples = {revision: (Example("ex-0000", "off-topic"), Example("ex-0002", "off-topic"))} if index == 22 else {}
        span = begin + index * hour, begin + (index + 1) * hour
        facts = EvaluatorFacts("OffTopicAnswered", "1")
        run = f"modelward-20261127-{index:06d}"
        where = (namespace, name, "banking", "stays-on-topic")
        yield WindowResult(*where, *span, run, facts, {revision: counts}, examples)


def every_other(number: int) -> bool:
    """Flag one of two."""
    return number % 2 == 0


def since_the_flip(number: int) -> bool:
    """Flag two of five of the exchanges `around_the_flip` after it, one of twenty before it."""
    return number % 5 < 2 if number % 2 else number % 40 == 0


def scores(
    endpoint: str, told: Iterable[Exchange], flags: Callable[[int], bool] = every_other
) -> Iterator[dict[str, Any]]:
    """Yield what one check made of exchanges, as its Job shows them; `flags` says of each by its number."""
    for number, one in enumerate(told):
        flagged = flags(number)
        why = "The nearest topic of the policy is “card or account”, and far away." if flagged else ""
        value = 0.82 if flagged else 0.06
        kept = KeptScore(one.id, one.time_ms, "Scored", flagged, value, by="built-in", explanation=why)
        where = {"endpoint": endpoint, "set": shown_set("banking", "stays-on-topic")}
        yield {**kept_score_to_json(kept), **where}


def exchanges(endpoint: str, texts: tuple[tuple[str, str], ...], now_ms: int) -> Iterator[Exchange]:
    """Yield one exchange for each question and answer, the first the newest."""
    for number, (asked, answered) in enumerate(texts):
        yield Exchange(
            id=f"ex-{number:04d}",
            time_ms=now_ms - (number + 1) * 20_000,
            endpoint=endpoint,
            model="acme/bank-chat-7b",
            revision="7f9c4d",
            operation="chat",
            status=200,
            outcome="ok",
            content="Redacted",
            messages=(Message("user", asked),),
            response=answered,
            finish_reason="stop",
            usage=Usage(486, 126),
            timings=Timings(3_400.0 - number % 30 * 100, 410.0),
        )


def around_the_flip(endpoint: str, texts: tuple[tuple[str, str], ...], now_ms: int) -> Iterator[Exchange]:
    """Yield exchanges of the hours before the check flipped, and with odd numbers of those after it."""
    flip_ms, step_ms = now_ms - FLIPPED_MIN * MINUTE_MS, MINUTE_MS
    for number, one in enumerate(exchanges(endpoint, texts, now_ms)):
        late = number % 2 == 1
        at_ms = flip_ms + (number + 2 if late else -number - 2) * step_ms
        yield replace(one, id=f"was-{number:04d}", time_ms=at_ms, revision="7f9c4d" if late else "5c2e1a")
