"""A policy's status says what is captured in fact, in values that a spec takes; of endpoints that differ both ends."""

from __future__ import annotations

from typing import Any

import pytest

from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.api.quantity import bytes_count, duration_ms, written_duration, written_size
from modelward.desired.capture import EffectiveCapture, effective_capture
from modelward.status.policy import capture_in_force


def policy(name: str = "a", **capture: Any) -> MonitoringPolicy:
    spec = {"endpointSelector": {}, "capture": capture}
    return MonitoringPolicy.model_validate({"metadata": {"name": name}, "spec": spec})


def told(*captures: EffectiveCapture) -> dict[str, str]:
    found = capture_in_force(captures)
    assert found is not None
    return found.wire()


def test_what_one_policy_asks_for_and_gets_is_told_as_it_is_written() -> None:
    asked = policy(content="Redacted", sample="12.5%", keepFor="36h", maxBody="1000")
    assert told(effective_capture([asked], allow_raw=False)) == {
        "content": "Redacted",
        "sample": "12.5%",
        "keepFor": "36h",
        "maxBody": "1000",
    }


def test_what_is_cut_is_told_as_it_is_in_force() -> None:
    asked = policy(content="Full", keepFor="1ms", maxBody="999999Mi")
    assert told(effective_capture([asked], allow_raw=False)) == {
        "content": "Redacted",
        "sample": "10%",
        "keepFor": "1s",
        "maxBody": "16Mi",
    }


def test_what_another_policy_lowers_or_raises_is_told_too() -> None:
    both = [policy(content="Redacted", sample="1%"), policy("b", content="MetadataOnly", sample="50%", keepFor="1h")]
    found = told(effective_capture(both, allow_raw=False))
    assert (found["content"], found["sample"], found["keepFor"]) == ("MetadataOnly", "50%", "1h")


def test_where_endpoints_differ_the_least_and_the_most_are_told() -> None:
    one = effective_capture([policy(content="Redacted", sample="20%")], allow_raw=False)
    found = told(one, EffectiveCapture())
    assert (found["content"], found["sample"]) == ("None to Redacted", "0% to 20%")
    assert (found["keepFor"], found["maxBody"]) == ("168h", "256Ki"), "of what captures nothing nothing is kept"


def test_of_no_endpoint_nothing_is_in_force() -> None:
    assert capture_in_force(()) is None


@pytest.mark.parametrize("text", ["168h", "90m", "59s", "1500ms"])
def test_a_duration_is_written_as_a_spec_takes_it(text: str) -> None:
    assert written_duration(duration_ms(text)) == text
    assert written_duration(duration_ms("60m")) == "1h"


@pytest.mark.parametrize("text", ["16Mi", "256Ki", "1000", "1025"])
def test_a_size_is_written_as_a_spec_takes_it(text: str) -> None:
    assert written_size(bytes_count(text)) == text
    assert written_size(1 << 20) == "1Mi"
