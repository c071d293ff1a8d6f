"""What is in force where several policies watch one endpoint, and whose fault it is that something is not."""

from __future__ import annotations

from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.desired.capture import effective_capture


def policy(name: str, content: str, **capture: str) -> MonitoringPolicy:
    spec = {"endpointSelector": {}, "capture": {"content": content, **capture}}
    return MonitoringPolicy.model_validate({"metadata": {"name": name, "namespace": "retail"}, "spec": spec})


def test_a_policy_that_asks_for_raw_payloads_is_no_fault_of_the_others_and_what_is_in_force_is_told() -> None:
    found = effective_capture([policy("a", "Full"), policy("b", "Redacted"), policy("c", "None")], allow_raw=False)
    assert found.problem is not None
    assert found.problem.message.endswith("; None is in force")
    assert found.problem_of == {"a"}
    assert effective_capture([policy("a", "Full")], allow_raw=True).problem_of == frozenset()


def test_a_value_beyond_what_can_be_kept_is_told_to_the_policy_that_asks_for_it() -> None:
    found = effective_capture([policy("a", "Redacted", maxBody="999999Mi"), policy("b", "Redacted")], allow_raw=False)
    assert found.problem is not None
    assert found.problem_of == {"a"}
