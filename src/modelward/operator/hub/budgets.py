"""What policies let judges spend, as the hub is told, and what it says they have spent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from modelward.api.budget import BudgetLimits, BudgetState, BudgetTerms
from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.hub_client.client import HubClient, HubUnavailableError
from modelward.kube.kinds import MONITORING_POLICY
from modelward.kube.store import Store
from modelward.operator.cache.models import parsed
from modelward.status.budget import limits_of, seen_in

NOT_FOUND = 404
"""What a hub answers that knows no budgets yet."""


def terms_now(store: Store) -> tuple[BudgetTerms, ...]:
    """Return the terms of every policy that has a budget, with what its status has seen."""
    namespaces = sorted({namespace for namespace, _ in store.names(MONITORING_POLICY)})
    return tuple(
        BudgetTerms(namespace, policy.metadata.name, limits_of(policy.spec.budget), seen_in(policy.status.budget))
        for namespace in namespaces
        for policy in parsed(MonitoringPolicy, store.list(MONITORING_POLICY, namespace))
        if policy.spec.budget is not None and policy.spec.budget.bounds_judges
    )


@dataclass(slots=True)
class BudgetFeed:
    """A copy of the hub's ledgers; `terms` are those of the policies as they are now."""

    terms: Callable[[], Sequence[BudgetTerms]] = tuple
    states: Mapping[tuple[str, str], BudgetState] = field(default_factory=dict)
    """By namespace and policy."""
    limits: Mapping[tuple[str, str], BudgetLimits] = field(default_factory=dict)
    """Those that were sent last; other threads may read them."""
    _sent: Sequence[BudgetTerms] | None = None

    def of(self, namespace: str, policy: str) -> BudgetState | None:
        """Return what a policy has spent today, where that is known."""
        return self.states.get((namespace, policy))

    def forget_sent(self) -> None:
        """Send the terms again: the hub may have lost them."""
        self._sent = None

    async def refresh(self, hub: HubClient) -> None:
        """Send the terms where they changed, and ask what was spent. Raises HubUnavailableError."""
        terms = self.terms()
        self.limits = {(one.namespace, one.policy): one.limits for one in terms}
        try:
            if terms != (self._sent or ()) or (terms and self._sent is None):
                await hub.put_budgets(terms)
                self._sent = terms
            found = await hub.budgets() if terms else []
        except HubUnavailableError as error:
            if error.status != NOT_FOUND:
                raise
            found = []
        self.states = {(one.namespace, one.policy): one for one in found}
