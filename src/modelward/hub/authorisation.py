"""Who may do what at the hub: one table, to be read at a glance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Action = Literal[
    "post exchanges",
    "read key",
    "sign mark",
    "read window",
    "read exchange",
    "put result",
    "read results",
    "put scope",
    "read scope",
    "read endpoints",
    "put rules",
    "erase",
    "read audit",
    "post scores",
    "keep scores",
    "spend budget",
    "put budgets",
    "read budgets",
    "put calibration",
    "read calibration",
    "put history",
    "read history",
    "put objects",
    "read labels",
    "carry out silences",
    "put namespaces",
]
Role = Literal["operator", "evaluator", "workload"]

TABLE: dict[Action, frozenset[Role]] = {
    "post exchanges": frozenset({"workload", "evaluator"}),
    "read key": frozenset({"workload", "evaluator"}),
    "sign mark": frozenset({"evaluator"}),
    "read window": frozenset({"operator", "evaluator"}),
    "read exchange": frozenset({"operator"}),
    "put result": frozenset({"operator", "evaluator"}),
    "read results": frozenset({"operator", "evaluator"}),
    "put scope": frozenset({"operator", "evaluator"}),
    "read scope": frozenset({"operator", "evaluator"}),
    "read endpoints": frozenset({"operator"}),
    "put rules": frozenset({"operator"}),
    "erase": frozenset({"operator"}),
    "read audit": frozenset({"operator"}),
    "post scores": frozenset({"workload", "evaluator"}),
    "keep scores": frozenset({"evaluator"}),
    "spend budget": frozenset({"evaluator"}),
    "put budgets": frozenset({"operator"}),
    "read budgets": frozenset({"operator"}),
    "put calibration": frozenset({"evaluator"}),
    "read calibration": frozenset({"operator", "evaluator"}),
    "put history": frozenset({"operator"}),
    "read history": frozenset({"operator"}),
    "put objects": frozenset({"operator"}),
    "read labels": frozenset({"operator"}),
    "carry out silences": frozenset({"operator"}),
    "put namespaces": frozenset({"operator"}),
}


@dataclass(frozen=True, slots=True)
class Caller:
    """A ServiceAccount that showed a valid token."""

    namespace: str
    account: str

    def __str__(self) -> str:
        """Return it as Kubernetes writes it."""
        return f"system:serviceaccount:{self.namespace}:{self.account}"


@dataclass(frozen=True, slots=True)
class Authority:
    """The names that give a role.

    The operator's account counts in the hub's own namespace only. Any other account is a workload, and has rights in
    its own namespace only; so has the evaluator's.
    """

    hub_namespace: str
    operator_account: str
    evaluator_account: str

    def roles(self, caller: Caller, namespace: str) -> frozenset[Role]:
        """Return the caller's roles towards the endpoints of a namespace ("" stands for all of them)."""
        if caller == Caller(self.hub_namespace, self.operator_account):
            return frozenset({"operator", "workload"}) if caller.namespace == namespace else frozenset({"operator"})
        if caller.namespace != namespace:
            return frozenset()
        return frozenset({"evaluator"}) if caller.account == self.evaluator_account else frozenset({"workload"})

    def allows(self, caller: Caller, action: Action, namespace: str) -> bool:
        """Decide whether the caller may do it to the endpoints of a namespace ("" stands for all of them)."""
        return bool(self.roles(caller, namespace) & TABLE[action])
