"""A policy's own PrometheusRule: put in place once, told where it cannot be, taken away when it is not wanted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import yaml
from fake_api import SETTINGS, FakeApi

from modelward.alerts.ways import endpoint_ways
from modelward.api.alerts import AlertsSpec
from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.cli.rendering import page
from modelward.desired.alert_way import way_of
from modelward.desired.rules.policy_rule import prometheus_rule
from modelward.kube.errors import ApiError, Forbidden, Invalid, NotFound
from modelward.kube.kinds import PROMETHEUS_RULE
from modelward.operator.policy_rules import PolicyRules
from modelward.operator.runtime.policy_rule_settings import PolicyRuleSettings

RECEIVER = {"name": "team", "slack": {"webhookUrlFrom": {"secretRef": {"name": "modelward-alerts", "key": "slack"}}}}


def policy(alerts: Any = None, applied: bool = False) -> MonitoringPolicy:
    condition = {"type": "RulesApplied", "status": "True", "reason": "Applied", "lastTransitionTime": ""}
    return MonitoringPolicy.model_validate(
        {
            "metadata": {"name": "p", "namespace": "retail", "uid": "uid-of-p", "generation": 1},
            "spec": {"endpointSelector": {}, **({"alerts": alerts} if alerts else {})},
            "status": {"conditions": [condition] if applied else []},
        }
    )


OWN = policy({"via": "Policy"})


class Rig:
    def __init__(self, *, enabled: bool = True) -> None:
        self.api, self.now_s = FakeApi(), 0.0
        settings = replace(SETTINGS, policy_rules=PolicyRuleSettings(enabled, {"release": "prometheus"}))
        context = replace(self.api.context, settings=settings, monotonic=lambda: self.now_s)
        self.rules = PolicyRules(context)

    async def told(self, asked: MonitoringPolicy = OWN) -> tuple[str, str]:
        [state] = await self.rules.state(asked)
        return state.status, state.reason


def test_a_policy_goes_one_way() -> None:
    assert way_of(policy()) == "Chart"
    assert way_of(policy({"receivers": [RECEIVER]})) == "Direct"
    assert way_of(OWN) == "Policy"
    assert AlertsSpec().via is None


def test_an_alert_of_an_endpoint_goes_by_the_chart_unless_a_route_leads_to_a_receiver() -> None:
    assert set(endpoint_ways([policy(), OWN]).values()) == {"Chart"}, "its rule has no alert of the endpoint itself"
    every = policy({"receivers": [RECEIVER]})
    assert set(endpoint_ways([policy(), every]).values()) == {"Direct"}
    some = policy({"receivers": [RECEIVER], "routes": [{"receivers": ["team"], "alerts": ["NotReady", "Check"]}]})
    ways = endpoint_ways([some])
    assert (ways["NotReady"], ways["Unwatched"]) == ("Direct", "Chart")
    severe = policy({"receivers": [RECEIVER], "routes": [{"receivers": ["team"], "severities": ["Critical"]}]})
    assert (endpoint_ways([severe])["NotReady"], endpoint_ways([severe])["ScalingStuck"]) == ("Direct", "Chart")


async def test_it_is_applied_once_with_the_labels_by_which_it_is_found_and_goes_with_the_policy() -> None:
    rig = Rig()
    assert await rig.told() == ("True", "Applied")
    assert await rig.told() == ("True", "Applied")
    assert [write[:2] for write in rig.api.writes] == [("apply", "PrometheusRule")]
    made = rig.api.bodies[0]
    assert made["metadata"]["labels"]["release"] == "prometheus"
    assert made["metadata"]["ownerReferences"][0]["uid"] == "uid-of-p"
    rig.now_s = 601.0
    assert await rig.told() == ("True", "Applied")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (NotFound(404, "NotFound", "no such kind"), "NoSuchKind"),
        (Forbidden(403, "Forbidden", "cannot patch"), "NotAllowed"),
        (Invalid(422, "Invalid", "unknown field"), "Refused"),
    ],
)
async def test_what_keeps_it_out_stands_in_a_condition_and_is_not_tried_at_each_reconcile(
    error: ApiError, reason: str
) -> None:
    rig = Rig()
    rig.api.refusals["apply"] = error
    assert await rig.told() == ("False", reason)
    del rig.api.refusals["apply"]
    assert await rig.told() == ("False", reason), "not within ten minutes"
    rig.now_s = 601.0
    assert await rig.told() == ("True", "Applied")


async def test_without_the_right_nothing_is_asked_of_the_api_server() -> None:
    rig = Rig(enabled=False)
    assert await rig.told() == ("False", "NotAllowed")
    assert rig.api.writes == []


async def test_one_of_another_owner_is_left_as_it_is() -> None:
    rig = Rig()
    theirs = prometheus_rule(OWN, {})
    theirs["metadata"]["ownerReferences"][0]["uid"] = "another"
    rig.api.put(theirs)
    assert await rig.told() == ("False", "NameTaken")
    assert rig.api.writes == []


async def test_it_is_taken_away_where_alerts_go_another_way_now_and_only_where_it_was_made() -> None:
    rig = Rig()
    rig.api.put(prometheus_rule(OWN, {}))
    assert await rig.rules.state(policy()) == ()
    assert rig.api.writes == [], "no condition says that there was one"
    assert await rig.rules.state(policy(applied=True)) == ()
    assert rig.api.writes == [("delete", "PrometheusRule", "modelward-p")]


def test_render_prints_it_without_a_cluster() -> None:
    document = {
        "apiVersion": "modelward.dev/v1alpha1",
        "kind": "MonitoringPolicy",
        "metadata": {"name": "p", "namespace": "retail"},
        "spec": {"endpointSelector": {}, "alerts": {"via": "Policy"}},
    }
    [found] = yaml.safe_load_all(page([document]))
    assert (found["kind"], found["metadata"]["name"]) == (PROMETHEUS_RULE.kind, "modelward-p")
    texts = [rule["expr"] for group in found["spec"]["groups"] for rule in group["rules"]]
    assert any('namespace="retail",policy="p",via="Policy"' in text for text in texts)
