"""A policy tells where the hub keeps no history of its endpoints, and only where something is, or was, wrong."""

from __future__ import annotations

import pytest

from modelward.api.history import HistoryHealth, health_from_json, health_to_json
from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.reasons.tables import reason_of
from modelward.status.conditions import ConditionState, settle
from modelward.status.history import history_kept

READY = HistoryHealth("Ready")


def policy(*before: ConditionState) -> MonitoringPolicy:
    found = MonitoringPolicy.model_validate(
        {"metadata": {"name": "baseline", "namespace": "retail"}, "spec": {"endpointSelector": {}}}
    )
    conditions = settle(before, (), 1, 0)
    return found.model_copy(update={"status": found.status.model_copy(update={"conditions": conditions})})


@pytest.mark.parametrize(
    ("health", "reason", "next_step"),
    [
        (HistoryHealth("Full"), "HistoryFull", "history.size"),
        (HistoryHealth("Newer"), "HistoryNewer", "install that version again"),
        (HistoryHealth("Unusable"), "HistoryUnusable", "log"),
        (HistoryHealth("Ready", copied=False), "HistoryNotCopied", "object store"),
        (HistoryHealth("Full", copied=False), "HistoryFull", "enlarge"),
    ],
)
def test_a_policy_names_the_trouble_and_what_to_do(health: HistoryHealth, reason: str, next_step: str) -> None:
    (found,) = history_kept(policy(), health)
    assert (found.type, found.status, found.reason) == ("HistoryKept", "False", reason)
    assert next_step in found.message
    assert reason_of("HistoryKept", reason, "MonitoringPolicy")
    (mended,) = history_kept(policy(found), READY)
    assert (mended.status, mended.reason) == ("True", "HistoryKept")


@pytest.mark.parametrize("health", [READY, None, HistoryHealth("Off"), HistoryHealth("Opening"), HistoryHealth("?")])
def test_a_policy_says_nothing_where_nothing_was_wrong(health: HistoryHealth | None) -> None:
    assert history_kept(policy(), health) == ()


@pytest.mark.parametrize("health", [None, HistoryHealth("Opening"), HistoryHealth("of a newer hub")])
def test_what_is_not_known_any_more_is_unknown_and_not_mended(health: HistoryHealth | None) -> None:
    before = history_kept(policy(), HistoryHealth("Full"))
    (found,) = history_kept(policy(*before), health)
    assert (found.status, found.reason) == ("Unknown", "HubUnavailable")
    assert history_kept(policy(*before), HistoryHealth("Off")) == ()


def test_health_goes_to_the_operator_and_an_older_hub_tells_none() -> None:
    for health in (READY, HistoryHealth("Full", copied=False)):
        assert health_from_json(health_to_json(health)) == health
    assert [health_from_json(one) for one in (None, {}, {"state": 3}, "Full")] == [None] * 4
