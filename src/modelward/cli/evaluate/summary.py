"""The end of a run by hand: what the operator would make of the scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from modelward.api.evaluation import Counts, EvaluatorFacts
from modelward.cli.evaluate.table import aligned
from modelward.evaluate.evidence import share_flagged
from modelward.evaluate.obstacles import usable
from modelward.evaluate.score import ScoreState
from modelward.evaluate.statistics.correction import ErrorRates
from modelward.evaluate.verdict import decide, spread
from modelward.job.by_hand import HandTally

_HEAD = ("evaluator", "scored", "flagged", "corrected", "not applicable", "not captured", "failed")
_NO_PAST = "it compares a window with what the hub keeps from before, and a file has nothing of that"
_CAUSES = 3


def summary(tallies: Sequence[HandTally], exchanges: int, bad_lines: int) -> str:
    """Return a table with a row for each evaluator, then its verdict where a policy sets a limit, and what failed."""
    lines = [
        f"{exchanges:,} exchanges, {bad_lines:,} bad line{'' if bad_lines == 1 else 's'}",
        "",
        *aligned([_HEAD, *map(_row, tallies)], numbers=True),
    ]
    notes = [note for tally in tallies for note in _notes(tally)]
    return "\n".join([*lines, *([""] if notes else []), *notes]) + "\n"


def _row(tally: HandTally) -> tuple[str, ...]:
    counts = tally.counts
    skipped = counts.not_applicable - _of_state(tally, "NotCaptured")
    numbers = (skipped, counts.not_applicable - skipped, counts.failed)
    shares = ("-", "-") if _compares(tally) else (_seen(counts), _corrected(counts, tally.named.evaluator.facts))
    return (tally.named.name, f"{counts.samples:,}", *shares, *(f"{one:,}" for one in numbers))


def _seen(counts: Counts) -> str:
    """Return the share flagged, weighted by 1 / inclusion, with its Wilson interval."""
    return spread(share_flagged(counts, ErrorRates()).interval) if counts.samples else "-"


def _corrected(counts: Counts, facts: EvaluatorFacts) -> str:
    if facts.is_count:
        return "as seen"
    rates = usable(facts)
    return spread(share_flagged(counts, rates).interval) if rates and counts.samples else "-"


def _notes(tally: HandTally) -> Iterator[str]:
    name = tally.named.name
    if _compares(tally):
        yield f"{name}: {_NO_PAST}"
    elif tally.named.rule is not None:
        facts, rule = tally.named.evaluator.facts, tally.named.rule
        verdict = decide(tally.counts, facts, rule, missing=tally.missing)
        yield f"{name}: {verdict.verdict}, {verdict.reason}: {verdict.message}"
    for state, words in (("Failed", "failed"), ("NotApplicable", "not applicable"), ("NotCaptured", "not captured")):
        causes = [(label, count) for (of, label), count in tally.labels.most_common() if of == state]
        if causes:
            more = f" and {len(causes) - _CAUSES} other causes" if len(causes) > _CAUSES else ""
            told = ", ".join(f"{label} {count:,}" for label, count in causes[:_CAUSES])
            yield f"{name}, {words}: {told}{more}"


def _compares(tally: HandTally) -> bool:
    return tally.named.evaluator.answers == "Change"


def _of_state(tally: HandTally, state: ScoreState) -> int:
    return sum(count for (of, _), count in tally.labels.items() if of == state)
