"""What each caller used, as a collector's page counts it; kept beside the signals, which know no callers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from modelward.api.budget import COST_UNITS, MAX_COUNTED
from modelward.api.collector_config import MOST_CALLERS
from modelward.api.history import OTHER, CallerCount
from modelward.metrics.exposition import Families, Sample, countable
from modelward.metrics.snapshot import CallerKey, CallerSums

_NAME_CHARS = 63
_FAMILIES = {
    "requests": "modelward_caller_requests_total",
    "tokens": "modelward_caller_tokens_total",
    "cost": "modelward_caller_cost_total",
    "unpriced": "modelward_caller_unpriced_requests_total",
}
_TOKENS = {"input": "input_tokens", "output": "output_tokens"}


def caller_sums(families: Families) -> CallerSums:
    """Return what a page counts by caller, over models and revisions; what is no number is left out."""
    found: dict[CallerKey, float] = defaultdict(float)
    names = _names(families)
    for of, family in _FAMILIES.items():
        for sample in families.of(family):
            key = _key(of, sample, names)
            if key is not None and countable(sample.value):
                found[key] += sample.value
    scaled = ((key, value * (COST_UNITS if key[1] == "cost" else 1)) for key, value in found.items())
    return {key: round(value) for key, value in scaled if value < MAX_COUNTED}


def _names(families: Families) -> frozenset[str]:
    """Return the callers that are told apart: those that a collector may name, also where a page names more."""
    asked: dict[str, float] = defaultdict(float)
    for sample in families.of(_FAMILIES["requests"]):
        if countable(sample.value):
            asked[_name(sample)] += sample.value
    return frozenset(sorted(asked, key=lambda name: (-asked[name], name))[: MOST_CALLERS + 2])


def _name(sample: Sample) -> str:
    return sample.labels.get("caller", "")[:_NAME_CHARS]


def _key(of: str, sample: Sample, names: frozenset[str]) -> CallerKey | None:
    caller = _name(sample)
    caller = caller if caller in names else OTHER
    if of == "tokens":
        kind = _TOKENS.get(sample.labels.get("gen_ai_token_type", ""))
        return (caller, kind, "") if kind else None
    return caller, of, sample.labels.get("currency", "")[:8] if of == "cost" else ""


@dataclass(slots=True)
class CallerLedger:
    """How far the pages of an endpoint's pods are counted, so that what a caller used is in one minute and no two."""

    _pods: dict[str, CallerSums] = field(default_factory=dict)

    def gained(self, pods: Mapping[str, CallerSums]) -> tuple[CallerCount, ...]:
        """Return what was counted since the last time, by pod; a pod begins with the first page that is seen of it.

        A sum that fell is of a collector that began anew, or of a name that was handed on.
        """
        gains: dict[CallerKey, int] = defaultdict(int)
        for pod, now in pods.items():
            before = self._pods.get(pod)
            if before is None:
                continue
            for key, value in now.items():
                known = before.get(key, 0)
                if gain := value - known if value >= known else value:
                    gains[key] += gain
        self._pods = dict(pods)
        return _most(_counts(gains))


def _counts(gains: Mapping[CallerKey, int]) -> list[CallerCount]:
    found: dict[str, dict[str, int]] = {}
    costs: dict[str, dict[str, int]] = {}
    for (caller, of, currency), gain in gains.items():
        numbers = found.setdefault(caller, {})
        if of == "cost":
            costs.setdefault(caller, {})[currency] = gain
        else:
            numbers[of] = gain
    return [CallerCount(caller, costs=costs.get(caller, {}), **numbers) for caller, numbers in found.items()]


def _most(counts: Iterable[CallerCount]) -> tuple[CallerCount, ...]:
    """Return those that cost or asked most, and the rest as one: collectors name each their own."""
    ranked = sorted(counts, key=lambda one: (-sum(one.costs.values()), -one.requests, one.caller))
    kept = [one for one in ranked if one.caller != OTHER][:MOST_CALLERS]
    names = {one.caller for one in kept}
    rest = [one for one in ranked if one.caller not in names]
    return (*kept, *([_together(rest)] if rest else []))


def _together(rest: Iterable[CallerCount]) -> CallerCount:
    total, costs = CallerCount(OTHER), defaultdict[str, int](int)
    for one in rest:
        for currency, cost in one.costs.items():
            costs[currency] += cost
        total = replace(
            total,
            requests=total.requests + one.requests,
            input_tokens=total.input_tokens + one.input_tokens,
            output_tokens=total.output_tokens + one.output_tokens,
            unpriced=total.unpriced + one.unpriced,
        )
    return replace(total, costs=costs)
