"""What an evaluation run is to score: the custom resource of a scheduled one, its items, and their plan."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from operator import or_
from typing import Any

from modelward.api.base import API_VERSION
from modelward.api.budget import TokenPrices
from modelward.api.evaluationrun import EvaluationRun, RunItem
from modelward.api.quantity import duration_ms, timestamp, timestamp_ms
from modelward.api.run_plan import MAX_SAMPLES, Plan, PlanItem
from modelward.desired import names
from modelward.desired.evaluators import PaidModel
from modelward.desired.installation import Installation
from modelward.desired.monitoring_plan import MonitoringPlan, part_of
from modelward.desired.pod_additions import NOTHING, PodAdditions

MAX_ITEMS = 500
"""Items of one run, as many as its spec takes; what is left waits longest and goes first in the next."""
MAX_PLAN_BYTES = 900_000
"""Of a plan, which is a ConfigMap and so has at most 1 MiB with everything beside it."""
LOOK_BACK_MS = 3_600_000
_SCHEDULED = re.compile(r"modelward-[0-9]{8}-[0-9]{6}(?:-([0-9a-f]{8}))?")


def scheduled_run(namespace: str, items: Sequence[RunItem], now_ms: int, part: str = "") -> dict[str, Any]:
    """Return the EvaluationRun of a tick; its name comes from tick and part, so that two leaders make one run.

    Give it what `fitting` returns of one of `by_part`, at most MAX_ITEMS of it.
    """
    return {
        "apiVersion": API_VERSION,
        "kind": "EvaluationRun",
        "metadata": {
            "name": names.run(now_ms, part),
            "namespace": namespace,
            "labels": names.shared_labels("evaluator"),
        },
        "spec": {"items": [item.wire() for item in items[:MAX_ITEMS]]},
    }


def is_scheduled(run_name: str) -> bool:
    """Distinguish a tick's run from a person's, by its name: results outlive runs, and have nothing else of them.

    A person who gives a run such a name makes it one of the schedule's, to be tidied away like those.
    """
    return _SCHEDULED.fullmatch(run_name) is not None


def part_of_run(run_name: str) -> str:
    """Return which part of a tick's work a scheduled run has; empty of what needs no container."""
    found = _SCHEDULED.fullmatch(run_name)
    return (found[1] or "") if found else ""


def by_part(wanted: Sequence[RunItem], watches: Mapping[str, MonitoringPlan]) -> dict[str, tuple[RunItem, ...]]:
    """Return items by the part whose run takes them: a container that does not start keeps no others from theirs.

    What needs no container is the part "". Those of one container share a run.
    """
    parts: dict[str, tuple[RunItem, ...]] = {}
    for item in wanted:
        part = part_of(watches, *item_key(item))
        parts[part] = (*parts.get(part, ()), item)
    return parts


def parts(watches: Mapping[str, MonitoringPlan]) -> frozenset[str]:
    """Return every part that the evaluations of a namespace have, "" always."""
    return frozenset({"", *(bound.part for watched in watches.values() for bound in watched.evaluations)})


def of_other_containers(run: EvaluationRun, watches: Mapping[str, MonitoringPlan]) -> frozenset[tuple[str, str, str]]:
    """Return endpoint, policy and evaluation of the items that need another container than the run's first one."""
    wanted = by_part(items(run, watches), watches)
    first = _first_part(wanted)
    return frozenset(item_key(item) for part, some in wanted.items() if part not in ("", first) for item in some)


def _first_part(wanted: Mapping[str, Sequence[RunItem]]) -> str:
    return next(filter(None, wanted), "")


def begun_ms(run_name: str) -> int | None:
    """Return when a tick's run was made; None of one that a person made, or of a name that is no time."""
    if not is_scheduled(run_name):
        return None
    digits = re.sub(r"[^0-9]", "", run_name)
    text = f"{digits[:4]}-{digits[4:6]}-{digits[6:8]}T{digits[8:10]}:{digits[10:12]}:{digits[12:14]}Z"
    try:
        return timestamp_ms(text)
    except ValueError:
        return None


def items(run: EvaluationRun, watches: Mapping[str, MonitoringPlan]) -> tuple[RunItem, ...]:
    """Return what the run evaluates: its items, or every evaluation of the endpoint over the time requested.

    Where no time was written it is the hour before the run was made.
    """
    if run.spec.items is not None:
        return run.spec.items
    endpoint = run.spec.endpoint or ""
    to = run.spec.to or run.metadata.creation_timestamp
    from_ = run.spec.from_ or timestamp(timestamp_ms(to) - LOOK_BACK_MS)
    watched = watches.get(endpoint, MonitoringPlan())
    return tuple(
        RunItem(endpoint=endpoint, policy=bound.policy, evaluation=bound.evaluation.name, from_=from_, to=to)
        for bound in watched.evaluations
    )


def plan(run: EvaluationRun, watches: Mapping[str, MonitoringPlan], installation: Installation) -> Plan:
    """Return the run's plan, with each item's evaluator and config as they are now.

    What cannot run is left out, and so is what a ConfigMap has no room for: see `left_out`.
    """
    return Plan(
        run=run.metadata.name,
        namespace=run.metadata.namespace,
        hub_url=installation.hub_url or "",
        items=tuple(_with_room(_plan_items(items(run, watches), watches))),
        allowed_hosts=installation.allowed_hosts,
    )


def fitting(wanted: Sequence[RunItem], watches: Mapping[str, MonitoringPlan]) -> tuple[RunItem, ...]:
    """Return the first of the items, as many as one run can take: at most MAX_ITEMS, whose plan fits a ConfigMap."""
    some = wanted[:MAX_ITEMS]
    planned = list(_plan_items(some, watches))
    room = len(list(_with_room(planned)))
    if room == len(planned):
        return tuple(some)
    out = planned[room]
    first_out = (item_key(out), out.from_ms, out.to_ms)  # one evaluation may stand there with several windows
    windows = ((item_key(item), timestamp_ms(item.from_), timestamp_ms(item.to)) for item in some)
    return tuple(some[: next(place for place, window in enumerate(windows) if window == first_out)])


def left_out(run: EvaluationRun, watches: Mapping[str, MonitoringPlan]) -> frozenset[tuple[str, str, str]]:
    """Return endpoint, policy and evaluation of the items for which a run's plan has no room."""
    planned = list(_plan_items(items(run, watches), watches))
    return frozenset(map(item_key, planned[len(list(_with_room(planned))) :]))


def item_key(item: RunItem | PlanItem) -> tuple[str, str, str]:
    """Return endpoint, policy and evaluation of an item."""
    return item.endpoint, item.policy, item.evaluation


def _with_room(planned: Iterable[PlanItem]) -> Iterator[PlanItem]:
    """Yield items until their plan would be too large; a config counts once, as it stands in the plan once."""
    size, configs = 1_000, set[str]()
    for item in planned:
        config = json.dumps(dict(item.config), sort_keys=True, default=str)
        # 200 bytes for the names of the fields, the times and the limit.
        size += 200 + sum(map(len, (*item_key(item), item.evaluator, item.address)))
        size += 0 if config in configs else len(config)
        if size > MAX_PLAN_BYTES:
            return
        configs.add(config)
        yield item


def _plan_items(wanted: Sequence[RunItem], watches: Mapping[str, MonitoringPlan]) -> Iterator[PlanItem]:
    first = _first_part(by_part(wanted, watches))
    for item in wanted:
        if part_of(watches, *item_key(item)) not in ("", first):
            continue
        watched = watches.get(item.endpoint, MonitoringPlan())
        for bound in watched.evaluations:
            if (bound.policy, bound.evaluation.name) != (item.policy, item.evaluation) or bound.problem is not None:
                continue
            if bound.evaluator is not None:
                yield PlanItem(
                    endpoint=item.endpoint,
                    policy=item.policy,
                    evaluation=item.evaluation,
                    evaluator=bound.evaluator.name,
                    config=bound.evaluator.config,
                    from_ms=timestamp_ms(item.from_),
                    to_ms=timestamp_ms(item.to),
                    max_samples=min(MAX_SAMPLES, bound.evaluator.max_samples or MAX_SAMPLES),
                    kind=bound.evaluator.kind,
                    over_ms=duration_ms(bound.evaluation.over),
                    statistic=bound.evaluation.statistic,
                    budgeted=bound.budgeted and bound.evaluator.costly,
                    prices=_prices(bound.evaluator.model, watches),
                    calibrated=bound.evaluator.calibrated,
                    address=watched.address if bound.evaluator.probes else "",
                )


def _prices(model: PaidModel | None, watches: Mapping[str, MonitoringPlan]) -> TokenPrices | None:
    """Return what the model of an evaluator costs: as it says itself, or as the endpoint does that serves it."""
    if model is None or not model.endpoint:
        return model.prices if model else None
    prices = watches.get(model.endpoint, MonitoringPlan()).prices
    return prices.of(model.name) if prices else None


def additions(run: EvaluationRun, watches: Mapping[str, MonitoringPlan]) -> PodAdditions:
    """Return what the evaluators of a run's items need of its pod."""
    wanted = {item_key(item) for item in items(run, watches)} - of_other_containers(run, watches)
    needed = (
        bound.evaluator.pod
        for endpoint, watched in watches.items()
        for bound in watched.evaluations
        if bound.evaluator and bound.problem is None and (endpoint, bound.policy, bound.evaluation.name) in wanted
    )
    return reduce(or_, needed, NOTHING)
