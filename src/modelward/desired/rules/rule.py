"""A rule of Prometheus as data, and which series a set of rules is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

PromRule = dict[str, Any]
"""One item of `rules` in a rule file: `record` or `alert`, `expr` and the rest."""
PromGroup = dict[str, Any]
"""One item of `groups`: name, interval, rules."""


@dataclass(frozen=True, slots=True)
class RuleScope:
    """Which series rules are about: those of the installation whose alerts go by the chart, or those of one policy.

    What a policy's rules record has names of its own, because two rules must not record the same series.
    """

    namespace: str = ""
    policy: str = ""

    @property
    def via(self) -> str:
        """The label `via` of what these rules may alert on."""
        return "Policy" if self.policy else "Chart"

    def series(self, name: str, *more: str) -> str:
        """Return a selector of the series of a name within the scope."""
        mine = (f'namespace="{self.namespace}"', f'policy="{self.policy}"') if self.policy else ()
        inner = ",".join((*mine, *more))
        return f"{name}{{{inner}}}" if inner else name

    def alerting(self, name: str, *more: str) -> str:
        """Return a selector of the series of a name on which these rules may alert."""
        return self.series(name, *more, f'via="{self.via}"')

    def recorded(self, rest: str) -> str:
        """Return the name under which something of an objective is recorded."""
        return f"modelward:policy_objective_{rest}" if self.policy else f"modelward:objective_{rest}"

    def group(self, name: str) -> str:
        """Return the name of a group."""
        return f"modelward-{name}"


DOWN = 'unless on (namespace, endpoint) max by (namespace, endpoint) (modelward_condition{condition="Ready"}) == 0'
"""An endpoint that does not serve has an alert of its own, which says more."""
