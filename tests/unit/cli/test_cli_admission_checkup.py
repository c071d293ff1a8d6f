"""Whoever has a say on what the operator writes is named; who has none of it, or is not in force, is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from modelward.cli.cluster.installation import Setup
from modelward.cli.cluster.reading import Unread
from modelward.cli.doctor.admission import WRITES, admission
from modelward.cli.doctor.observed import InstallationFacts
from modelward.cli.doctor.remark import Remark

NOBODY = InstallationFacts("modelward-system", "1", datetime(2026, 11, 24, tzinfo=UTC), Setup(None))


def rule(group: str = "", *resources: str, operations: tuple[str, ...] = ("CREATE",)) -> dict[str, Any]:
    return {"apiGroups": [group], "operations": list(operations), "resources": list(resources or ("pods",))}


def webhook(*rules: dict[str, Any], **more: Any) -> dict[str, Any]:
    hooks = [{"name": "check.example.com", "rules": list(rules), **more}]
    return {"kind": "ValidatingWebhookConfiguration", "metadata": {"name": "platform"}, "webhooks": hooks}


def policy(kind: str, *rules: dict[str, Any], **match: Any) -> dict[str, Any]:
    spec = {"failurePolicy": "Fail", "matchConstraints": {"resourceRules": list(rules), **match}}
    return {"kind": kind, "metadata": {"name": "platform"}, "spec": spec}


def said(plural: str, *objects: dict[str, Any]) -> list[Remark]:
    return list(admission(replace(NOBODY, admission={plural: objects})))


@pytest.mark.parametrize(
    ("wanted", "named"),
    [
        (rule("", "pods"), "pods"),
        (rule("", "services", "secrets"), "services"),
        (rule("", "configmaps", operations=("UPDATE",)), "configmaps"),
        (rule("apps", "deployments", "statefulsets", operations=("UPDATE",)), "deployments, statefulsets"),
        (rule("apps", "*/scale", operations=("*",)), "deployments/scale, statefulsets/scale"),
        (rule("batch", "jobs"), "jobs"),
        (rule("modelward.dev", "llmendpoints/*", operations=("UPDATE",)), "llmendpoints/status, llmendpoints/scale"),
        (rule("modelward.dev", "monitoringpolicies"), "monitoringpolicies"),
        (rule("coordination.k8s.io", "leases", operations=("UPDATE",)), "leases"),
        (rule("*", "*", operations=("DELETE",)), "evaluationruns, deployments, services, configmaps"),
    ],
)
def test_what_a_webhook_decides_on_is_named_with_what_its_absence_does(wanted: dict[str, Any], named: str) -> None:
    (found,) = said("validatingwebhookconfigurations", webhook(wanted))
    about = f"ValidatingWebhookConfiguration platform decides on {named} (check.example.com)"
    assert found.what == f"{about}; failurePolicy Fail: while it is away nothing of that is written"
    assert found.next == "kubectl describe validatingwebhookconfigurations platform"
    assert found.severity == "Notice"
    (lenient,) = said("validatingwebhookconfigurations", webhook(wanted, failurePolicy="Ignore"))
    assert lenient.what == f"{about}; failurePolicy Ignore"


@pytest.mark.parametrize(
    "other",
    [
        rule("", "secrets"),
        rule("", "pods", operations=("CONNECT",)),
        rule("apps", "*", operations=("CONNECT",)),
        rule("example.com", "*"),
        rule("apps", "deployments/status", operations=("UPDATE",)),
    ],
)
def test_what_decides_on_nothing_of_ours_is_left_out(other: dict[str, Any]) -> None:
    assert said("validatingwebhookconfigurations", webhook(other)) == []


def test_a_policy_is_carried_out_by_the_api_server_and_never_away() -> None:
    (validating,) = said("validatingadmissionpolicies", policy("ValidatingAdmissionPolicy", rule("", "services")))
    assert validating.what == "ValidatingAdmissionPolicy platform may refuse services, as its rules say"
    (mutating,) = said("mutatingadmissionpolicies", policy("MutatingAdmissionPolicy", rule("", "pods")))
    assert mutating.what == "MutatingAdmissionPolicy platform changes pods, as its rules say"


def test_what_a_policy_excludes_it_has_no_say_on() -> None:
    excluded = policy("ValidatingAdmissionPolicy", rule("*", "*"), excludeResourceRules=[rule("*", "*", "*/*")])
    assert said("validatingadmissionpolicies", excluded) == []


def test_many_resources_are_counted_not_listed() -> None:
    (found,) = said("validatingwebhookconfigurations", webhook(rule("*", "*/*", operations=("*",))))
    assert f" and {len({one[1] for one in WRITES}) - 4} more" in found.what


def test_what_may_not_be_read_is_said() -> None:
    seen = replace(NOBODY, admission={"mutatingadmissionpolicies": Unread("forbidden")})
    (found,) = admission(seen)
    assert (found.severity, found.what) == ("NotRead", "mutatingadmissionpolicies: forbidden")
