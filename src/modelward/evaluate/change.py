"""From a window of exchanges to its tests: what evaluators of change have in common."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Literal, TypeVar

from pydantic import Field, StringConstraints, model_validator

from modelward.api.exchange import Exchange, ended_ms
from modelward.api.run_plan import MAX_SAMPLES
from modelward.api.window_answer import MAX_MOVED, Moved, WindowTest
from modelward.evaluate.anonymity import ExchangeText
from modelward.evaluate.conversations import conversations_of
from modelward.evaluate.interval import Interval, wilson
from modelward.evaluate.manifest import EvaluatorConfig
from modelward.evaluate.past import FEWEST, PastTraffic, Reference, of_period, of_revision
from modelward.evaluate.port import ScoringPort
from modelward.evaluate.score import Score
from modelward.evaluate.statistics.permutation import ConversationSums, seed_of
from modelward.reasons.checks import CheckReason

MAX_REVISIONS = 5
"""Of one window: those with most exchanges."""
TextName = Literal["Questions", "Answers"]
UtcTime = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]


class Baseline(EvaluatorConfig):
    """A period whose traffic a person approved of; RFC 3339 in UTC."""

    from_: UtcTime = Field(alias="from")
    to: UtcTime

    @model_validator(mode="after")
    def _rises(self) -> Baseline:
        if self.from_ms >= self.to_ms:
            raise ValueError("from must be before to")
        return self

    @property
    def from_ms(self) -> int:
        """Its beginning in Unix milliseconds."""
        return round(datetime.fromisoformat(self.from_).timestamp() * 1_000)

    @property
    def to_ms(self) -> int:
        """Its end in Unix milliseconds."""
        return round(datetime.fromisoformat(self.to).timestamp() * 1_000)


class ChangeConfig(EvaluatorConfig):
    """What a window is compared with: the approved baseline, else the first exchanges of the revision."""

    baseline: Baseline | None = None
    reference_size: int = Field(default=MAX_SAMPLES, alias="referenceSize", ge=FEWEST, le=MAX_SAMPLES)


C = TypeVar("C", bound=ChangeConfig)


@dataclass(frozen=True, slots=True)
class Compared:
    """Two samples that have no conversation in common; `seed` is the window's, `last` what was answered before."""

    window: tuple[Exchange, ...]
    reference: tuple[Exchange, ...]
    seed: int
    last: WindowTest | None = None

    def texts(self, of: TextName, has: Callable[[str], object]) -> tuple[list[ExchangeText], list[ExchangeText]]:
        """Return the exchanges of both samples with their texts, those whose text has what is compared."""

        def read(rows: Sequence[Exchange]) -> list[ExchangeText]:
            found = ((one, one.question if of == "Questions" else one.response) for one in rows)
            return [(one, text) for one, text in found if has(text)]

        return read(self.window), read(self.reference)


@dataclass(frozen=True, slots=True)
class WindowChange:
    """What a comparison found; None where nothing in the samples can be compared."""

    statistic: float
    p_value: float
    effect: Interval
    moved: tuple[Moved, ...]


Compare = Callable[[C, Compared, ScoringPort], Awaitable[WindowChange | None]]


async def counted(_: ChangeConfig, exchanges: Sequence[Exchange], __: ScoringPort) -> list[Score]:
    """Say of each exchange only that it is part of its window."""
    return [Score(one.id, "Scored", label="none") for one in exchanges]


async def changes(
    compare: Compare[C], config: C, exchanges: Sequence[Exchange], past: PastTraffic, port: ScoringPort
) -> tuple[WindowTest, ...]:
    """Return one test for each revision in the window; `exchanges` are those that can be judged."""
    by_revision: dict[str, list[Exchange]] = defaultdict(list)
    for one in exchanges:
        by_revision[one.revision].append(one)
    largest = sorted(by_revision.items(), key=lambda row: (-len(row[1]), row[0]))[:MAX_REVISIONS]
    before = await past.last() if largest else None
    last = {one.revision: one for one in before.tests} if before else {}
    return tuple(
        [await _tested(compare, config, revision, rows, last.get(revision), past, port) for revision, rows in largest]
    )


async def _tested(
    compare: Compare[C],
    config: C,
    revision: str,
    rows: Sequence[Exchange],
    last: WindowTest | None,
    past: PastTraffic,
    port: ScoringPort,
) -> WindowTest:
    begin_ms = min(ended_ms(one.time_ms, one.timings.duration_ms) for one in rows)
    reference = await _reference(config, past, revision, begin_ms, last)
    pair = samples(rows, reference.exchanges, last)
    test = WindowTest(
        revision=revision,
        samples=len(pair.window),
        conversations=len(set(conversations_of(pair.window))),
        reference_samples=len(pair.reference),
        reason=CheckReason.TOO_FEW_SAMPLES,
    )
    found = await compare(config, pair, port) if reference.complete else None
    if found is None:
        return replace(test, reason=CheckReason.MISSING) if reference.complete else test
    return _answer(test, reference, found)


def _answer(test: WindowTest, reference: Reference, found: WindowChange) -> WindowTest:
    return replace(
        test,
        reason="",
        reference_from_ms=reference.from_ms,
        reference_to_ms=reference.to_ms,
        statistic=round(found.statistic, 6),
        p_value=found.p_value,
        effect=round(found.effect.value, 6),
        low=round(found.effect.low, 6),
        high=round(found.effect.high, 6),
        moved=found.moved,
    )


async def _reference(
    config: ChangeConfig, past: PastTraffic, revision: str, begin_ms: int, last: WindowTest | None
) -> Reference:
    if config.baseline is None:
        return await of_revision(past, revision, begin_ms, last, config.reference_size)
    return await of_period(past, config.baseline.from_ms, min(config.baseline.to_ms, begin_ms))


def samples(window: Sequence[Exchange], reference: Sequence[Exchange], last: WindowTest | None = None) -> Compared:
    """Return both samples in an order that their exchanges alone decide; a conversation in both is the window's."""
    names = conversations_of([*window, *reference])
    inside = set(names[: len(window)])
    outside = [one for one, name in zip(reference, names[len(window) :], strict=True) if name not in inside]
    ordered = (tuple(sorted(rows, key=lambda one: (one.time_ms, one.id))) for rows in (window, outside))
    first, second = ordered
    return Compared(first, second, seed_of(one.id for one in first), last)


def moved(
    labels: Sequence[str],
    window: ConversationSums,
    reference: ConversationSums,
    *,
    ids: Sequence[str] = (),
    sketches: Sequence[str] = (),
    largest: int = 0,
) -> tuple[Moved, ...]:
    """Return some parts, the `largest` ones first, then those whose share moved most.

    The bounds of a share are Wilson's with Kish's size of conversations. Parts without a label are left out: they may
    not be shown.
    """
    size, after, before = window.effective, window.mean, reference.mean
    found = []
    for number, label in enumerate(labels):
        share = min(1.0, max(0.0, float(after[number])))
        bounds, change = wilson(share * size, size), share - float(before[number])
        name, drawn = ids[number] if ids else "", sketches[number] if sketches else ""
        share, low, high, change = (round(value, 4) for value in (share, bounds.low, bounds.high, change))
        found += [Moved(label, share, low, high, change, name, drawn)] if label else []
    by_share = sorted(found, key=lambda one: (-one.share, one.label))
    by_change = sorted(by_share[largest:], key=lambda one: (-abs(one.change), one.label))
    return (*by_share[:largest], *by_change)[:MAX_MOVED]
