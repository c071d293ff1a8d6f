"""What an evaluator Job returns: one result per window.

Plain dataclasses with stable JSON, because they pass through the hub and the termination message.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, TypeAlias, TypeVar

from modelward.api.exchange import real_number, whole_number
from modelward.api.window_answer import WindowTest, window_tests_from_json

_UNREADABLE = (KeyError, TypeError, AttributeError, ValueError, OverflowError)
Causes: TypeAlias = tuple[tuple[str, int], ...]
"""How many samples could not be judged, by a cause from a small closed set, in the order of causes."""
Bins: TypeAlias = tuple[tuple[int, float], ...]
"""Weights of values by their bin (`evaluate/statistics/histogram.py`), in the order of bins."""
_PPM = 1_000_000


@dataclass(frozen=True, slots=True)
class EvaluatorFacts:
    """What the verdict must know of the evaluator that scored: its version and its measured error rates, in ppm.

    `positives` and `negatives` are the labelled rows behind the two rates; 0 where that is not known, as in results of
    earlier versions. The margins say how far a rate may lie from the measured one in a domain that it was not measured
    on; 0 where it was measured where it is used.
    """

    name: str
    version: str
    true_positive_ppm: int = _PPM
    false_positive_ppm: int = 0
    positives: int = 0
    negatives: int = 0
    true_positive_margin_ppm: int = 0
    false_positive_margin_ppm: int = 0

    @property
    def is_count(self) -> bool:
        """Whether a flag counts what is there and cannot be wrong."""
        rates = (self.true_positive_ppm, self.false_positive_ppm, self.positives, self.negatives)
        return rates == (_PPM, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Counts:
    """Scores of one revision in one window.

    `samples` were scored, `flagged` of them were found at fault, `not_applicable` had nothing to judge, `failed` could
    not be judged, for `causes`, `not_asked` had no room in a budget, and of `abstained` the evaluator could not decide.

    `weight` and `weight_squared` are sums over the scored of 1/inclusion, `flagged_weight` over the
    flagged: they give the effective sample size (Kish).

    What belongs to one conversation is alike. With w the weights of a conversation's samples and f those of its flagged
    ones, the last three are the sums over conversations of (Σw)², (Σf)² and Σw·Σf; a sample without a conversation is
    one by itself. `histogram` has the weights of values or numbers by their bin, where a statistic is made of them.
    """

    samples: int = 0
    flagged: int = 0
    not_applicable: int = 0
    failed: int = 0
    weight: float = 0.0
    weight_squared: float = 0.0
    flagged_weight: float = 0.0
    conversation_weight_squared: float = 0.0
    conversation_flagged_squared: float = 0.0
    conversation_product: float = 0.0
    histogram: Bins = ()
    not_asked: int = 0
    abstained: int = 0
    causes: Causes = ()

    def __add__(self, other: Counts) -> Counts:
        """Pool two disjoint windows of the same revision."""
        summed = {name: getattr(self, name) + getattr(other, name) for name in _SUMS}
        histogram, causes = _pooled(self.histogram, other.histogram), _pooled(self.causes, other.causes)
        return Counts(**summed, histogram=histogram, causes=causes)


_SUMS = tuple(name for name in Counts.__dataclass_fields__ if name not in ("histogram", "causes"))
_K = TypeVar("_K", int, str)
_N = TypeVar("_N", int, float)


def _pooled(one: tuple[tuple[_K, _N], ...], other: tuple[tuple[_K, _N], ...]) -> tuple[tuple[_K, _N], ...]:
    if not one or not other:
        return one or other
    sums = dict(one)
    for place, number in other:
        sums[place] = sums[place] + number if place in sums else number
    return tuple(sorted(sums.items()))


@dataclass(frozen=True, slots=True)
class Example:
    """A flagged exchange by its id and a label from a small closed set; its text stays in the hub."""

    id: str
    label: str


@dataclass(frozen=True, slots=True)
class Late:
    """Exchanges that ended in [first_ms, last_ms] reached the hub at `at_ms`, late enough for windows to miss them."""

    first_ms: int
    last_ms: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class AskedModel:
    """How a model was asked for one result, and what it took: `readout` is how its answers were read.

    `left_out` are the readouts and options that it refused, `unreported` the replies that told no tokens.
    """

    model: str = ""
    readout: str = ""
    left_out: tuple[str, ...] = ()
    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    unreported: int = 0


@dataclass(frozen=True, slots=True)
class WindowResult:
    """Scores of one evaluation of one endpoint over one window; the hub keeps it under exactly this key."""

    namespace: str
    endpoint: str
    policy: str
    evaluation: str
    from_ms: int
    to_ms: int
    run: str
    evaluator: EvaluatorFacts
    revisions: Mapping[str, Counts] = field(default_factory=dict)
    examples: Mapping[str, tuple[Example, ...]] = field(default_factory=dict)
    reason: str = ""
    """Empty, or why nothing could be judged: NoTraffic, NoCapture, EvaluatorFailing."""
    tests: tuple[WindowTest, ...] = ()
    """Of an evaluator that compares windows: its answer for each revision."""
    asked: AskedModel | None = None
    """Of an evaluator that asks a model: how, and what the run has taken so far."""


def result_to_json(result: WindowResult) -> dict[str, Any]:
    """Return the result as JSON; the inverse of `result_from_json`."""
    return asdict(result)


def result_from_json(data: Mapping[str, Any]) -> WindowResult:
    """Build a result from decoded JSON; ValueError when it is not one.

    Unknown keys are ignored, so that an operator that was rolled back reads what a newer evaluator wrote. A revision's
    counts or an example that cannot be read are left out, and the rest stands.
    """
    try:
        return WindowResult(
            namespace=str(data["namespace"]),
            endpoint=str(data["endpoint"]),
            policy=str(data["policy"]),
            evaluation=str(data["evaluation"]),
            from_ms=whole_number(data["from_ms"]),
            to_ms=whole_number(data["to_ms"]),
            run=str(data["run"]),
            evaluator=_facts(data["evaluator"]),
            revisions=_readable(data["revisions"], _counts),
            examples=_readable(data["examples"], _examples),
            reason=str(data.get("reason", "")),
            tests=window_tests_from_json(data.get("tests")),
            asked=_asked(data.get("asked")),
        )
    except (KeyError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"not a window result: {type(error).__name__}: {error}") from error


def _readable(rows: Mapping[str, Any], read: Callable[[Any], Any]) -> dict[str, Any]:
    found = {}
    for name, row in rows.items():
        with contextlib.suppress(*_UNREADABLE):
            found[str(name)] = read(row)
    return found


def _asked(row: Any) -> AskedModel | None:
    with contextlib.suppress(*_UNREADABLE):
        numbers = {name: whole_number(row.get(name, 0)) for name in _ASKED_NUMBERS}
        return AskedModel(str(row["model"]), str(row["readout"]), tuple(map(str, row["left_out"])), **numbers)
    return None


_ASKED_NUMBERS = ("calls", "input_tokens", "output_tokens", "unreported")


def _facts(row: Mapping[str, Any]) -> EvaluatorFacts:
    default = EvaluatorFacts(str(row["name"]), str(row["version"]))
    fields = {name: getattr(default, name) for name in EvaluatorFacts.__dataclass_fields__}
    numbers = [name for name, value in fields.items() if isinstance(value, int)]
    return EvaluatorFacts(**{**fields, **{name: whole_number(row[name]) for name in numbers if name in row}})


def _counts(row: Mapping[str, Any]) -> Counts:
    default = Counts()
    values: dict[str, Any] = {}
    for name in _SUMS:
        read = real_number if isinstance(getattr(default, name), float) else whole_number
        values[name] = read(row.get(name, 0))
    if min(values.values()) < 0:
        raise ValueError("counts are not negative")
    if "conversation_weight_squared" not in row and values["weight"] > 0:
        # Earlier versions took each sample for a conversation by itself.
        flagged = values["flagged_weight"] * values["weight_squared"] / values["weight"]
        values |= {"conversation_weight_squared": values["weight_squared"]}
        values |= {"conversation_flagged_squared": flagged, "conversation_product": flagged}
    bins = tuple(sorted((whole_number(place), real_number(weight)) for place, weight in row.get("histogram", ())))
    if any(weight < 0 for _, weight in bins):
        raise ValueError("weights are not negative")
    causes = tuple(sorted((str(cause), whole_number(number)) for cause, number in row.get("causes", ())))
    return Counts(**values, histogram=bins, causes=causes)


def _examples(rows: Sequence[Mapping[str, Any]]) -> tuple[Example, ...]:
    found = []
    for row in rows:
        with contextlib.suppress(*_UNREADABLE):
            found.append(Example(str(row["id"]), str(row["label"])))
    return tuple(found)
