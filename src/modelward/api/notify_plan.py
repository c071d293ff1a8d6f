"""What a Job that sends alert messages of a namespace receives, and what it says became of them.

The plan stands in the ConfigMap that the Job mounts, the outcome is its termination message.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from modelward.api.exchange import whole_number

MAX_ORDERS = 10
"""Messages of one Job, so that the outcome of each fits into a termination message; others wait for the next one."""
OUTCOME_BYTES = 2_000
REF_CHARACTERS, PROBLEM_CHARACTERS = 64, 120
_SHORT_CHARACTERS = 40
"""Of problems, where all of them are long and an outcome would be too large."""


@dataclass(frozen=True, slots=True)
class NotifyOrder:
    """One message to one receiver; `id`, at most 16 characters, is the operator's word for the two.

    `message` is `alerts.message` as JSON, `receiver` the block of a policy's `spec.alerts.receivers`, and `ref` what
    the receiver called the first message of the episode.
    """

    id: str
    message: Mapping[str, Any]
    receiver: Mapping[str, Any]
    ref: str = ""


@dataclass(frozen=True, slots=True)
class NotifyPlan:
    """What one Job sends, at most MAX_ORDERS messages, and the hosts outside the cluster that it may send to."""

    namespace: str
    orders: tuple[NotifyOrder, ...]
    allowed_hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NotifyOutcome:
    """What became of one order: told, with the receiver's `ref`, or a problem without anything that the receiver wrote.

    A `permanent` problem stays until a person mends it; `retry_after_s` is how long the receiver wants no request.
    """

    id: str
    told: bool
    ref: str = ""
    problem: str = ""
    permanent: bool = False
    retry_after_s: int = 0


def notify_plan_to_json(plan: NotifyPlan) -> dict[str, Any]:
    """Return the JSON object; the inverse of `notify_plan_from_json`."""
    orders = [
        {"id": one.id, "ref": one.ref, "message": dict(one.message), "receiver": dict(one.receiver)}
        for one in plan.orders
    ]
    return {"namespace": plan.namespace, "allowedHosts": list(plan.allowed_hosts), "orders": orders}


def notify_plan_from_json(data: Mapping[str, Any]) -> NotifyPlan:
    """Build a plan from decoded JSON; unknown keys are ignored. ValueError when it is not one."""
    try:
        orders = tuple(
            NotifyOrder(str(one["id"]), dict(one["message"]), dict(one["receiver"]), str(one.get("ref", "")))
            for one in data["orders"]
        )
        return NotifyPlan(str(data["namespace"]), orders, tuple(map(str, data.get("allowedHosts", ()))))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a plan of messages: {type(error).__name__}: {error}") from error


def outcomes_to_text(outcomes: Iterable[NotifyOutcome]) -> str:
    """Return the termination message, at most OUTCOME_BYTES; problems are shortened where it would be larger."""
    rows = [*outcomes]
    for characters in (PROBLEM_CHARACTERS, _SHORT_CHARACTERS, 0):
        text = json.dumps([_row(one, characters) for one in rows], separators=(",", ":"))
        if len(text.encode()) <= OUTCOME_BYTES:
            return text
    raise ValueError(f"{len(rows)} outcomes do not fit into {OUTCOME_BYTES} bytes")


def outcomes_from_text(text: str) -> tuple[NotifyOutcome, ...]:
    """Read a termination message; ValueError when it is none, as when the Job could not begin."""
    try:
        return tuple(_outcome(one) for one in json.loads(text))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not an outcome of messages: {type(error).__name__}") from error


def _row(one: NotifyOutcome, characters: int) -> dict[str, Any]:
    """Return what is worth its bytes: what is absent is empty, false or 0."""
    ref, problem = _plain(one.ref, REF_CHARACTERS), _plain(one.problem, characters)
    fields: dict[str, Any] = {"ref": ref, "problem": problem, "permanent": one.permanent, "after": one.retry_after_s}
    return {"id": one.id, "told": one.told, **{name: value for name, value in fields.items() if value}}


def _plain(text: str, characters: int) -> str:
    """Return printable ASCII that JSON does not escape, so that a character is a byte."""
    known = (one if " " <= one <= "~" else "?" for one in text)
    return "".join(known).replace("\\", "/").replace('"', "'")[:characters]


def _outcome(row: Mapping[str, Any]) -> NotifyOutcome:
    return NotifyOutcome(
        id=str(row["id"]),
        told=row["told"] is True,
        ref=str(row.get("ref", ""))[:REF_CHARACTERS],
        problem=str(row.get("problem", ""))[:PROBLEM_CHARACTERS],
        permanent=row.get("permanent") is True,
        retry_after_s=whole_number(row.get("after", 0)),
    )
