"""The end of a run by hand: what the operator would make of the scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from modelward.api.quantity import PPM, percent_text
from modelward.evaluate.interval import effective_size, wilson
from modelward.evaluate.rule import VerdictRule
from modelward.evaluate.score import ScoreState
from modelward.evaluate.verdict import Verdict, decide, spread
from modelward.job.by_hand import HandTally
from modelward.reasons.checks import CheckReason

_NO_LIMIT = VerdictRule(fail_above_ppm=0, min_samples=1)
"""Where no policy sets one: the share is corrected alike, and nothing is decided."""
_HEAD = ("evaluator", "scored", "flagged", "corrected", "not applicable", "not captured", "failed")
_NO_PAST = "it compares a window with what the hub keeps from before, and a file has nothing of that"
_CAUSES = 3


def summary(tallies: Sequence[HandTally], exchanges: int, bad_lines: int) -> str:
    """Return a table with a row for each evaluator, then its verdict where a policy sets a limit, and what failed."""
    lines = [
        f"{exchanges:,} exchanges, {bad_lines:,} bad line{'' if bad_lines == 1 else 's'}",
        "",
        *_table([_HEAD, *map(_row, tallies)]),
    ]
    notes = [note for tally in tallies for note in _notes(tally)]
    return "\n".join([*lines, *([""] if notes else []), *notes]) + "\n"


def _row(tally: HandTally) -> tuple[str, ...]:
    counts, verdict = tally.counts, _verdict(tally)
    skipped = counts.not_applicable - _of_state(tally, "NotCaptured")
    cells = (counts.samples, _seen(tally), _corrected(tally, verdict), skipped, counts.not_applicable - skipped)
    return (tally.named.name, *(f"{one:,}" if isinstance(one, int) else one for one in (*cells, counts.failed)))


def _seen(tally: HandTally) -> str:
    """Return the share flagged, weighted by 1 / inclusion, with its Wilson interval."""
    counts = tally.counts
    if not counts.weight or tally.named.evaluator.answers == "Change":
        return "-"
    size = effective_size(counts.weight, counts.weight_squared)
    return spread(wilson(min(1.0, counts.flagged_weight / counts.weight) * size, size))


def _corrected(tally: HandTally, verdict: Verdict) -> str:
    facts = tally.named.evaluator.facts
    if verdict.rate_ppm is None or verdict.low_ppm is None or verdict.high_ppm is None:
        return "-"
    if (facts.true_positive_ppm, facts.false_positive_ppm) == (PPM, 0):
        return "as seen"
    low, high = (percent_text(one).removesuffix("%") for one in (verdict.low_ppm, verdict.high_ppm))
    return f"{percent_text(verdict.rate_ppm)} ({low}-{high})"


def _verdict(tally: HandTally) -> Verdict:
    if tally.named.evaluator.answers == "Change":
        return Verdict("Unknown", None, None, None, tally.counts.samples, CheckReason.NOT_YET_DECIDED, _NO_PAST)
    rule = tally.named.rule or _NO_LIMIT
    return decide(tally.counts, tally.named.evaluator.facts, rule, missing=tally.missing)


def _notes(tally: HandTally) -> Iterator[str]:
    name = tally.named.name
    if tally.named.rule is not None:
        verdict = _verdict(tally)
        yield f"{name}: {verdict.verdict}, {verdict.reason}: {verdict.message}"
    for state, words in (("Failed", "failed"), ("NotApplicable", "not applicable"), ("NotCaptured", "not captured")):
        causes = [(label, count) for (of, label), count in tally.labels.most_common() if of == state]
        if causes:
            more = f" and {len(causes) - _CAUSES} other causes" if len(causes) > _CAUSES else ""
            told = ", ".join(f"{label} {count:,}" for label, count in causes[:_CAUSES])
            yield f"{name}: {words} because of {told}{more}"


def _of_state(tally: HandTally, state: ScoreState) -> int:
    return sum(count for (of, _), count in tally.labels.items() if of == state)


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return lines with columns as wide as they must be; the first is text, the others are numbers."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            [row[0].ljust(widths[0]), *(one.rjust(width) for one, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    ]
