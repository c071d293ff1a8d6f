"""Every actuator by its mode: watches, pruning and the operator's rights take the kinds of children from here."""

from __future__ import annotations

from modelward.kube.kinds import Kind
from modelward.operator.actuators.actuator import Actuator
from modelward.operator.actuators.advisory import Advisory
from modelward.operator.actuators.direct import Direct

ACTUATORS: dict[str, Actuator] = {one.mode: one for one in (Advisory(), Direct())}


def child_kinds() -> tuple[Kind, ...]:
    """Return the kinds that actuators bring, each once."""
    return tuple(dict.fromkeys(kind for one in ACTUATORS.values() for kind in one.kinds))
