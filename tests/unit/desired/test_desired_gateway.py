"""The gateway before an external API: what nothing could connect to is refused before anything is made."""

from __future__ import annotations

import pytest
from desired_specimens import PLAIN, external

from modelward.desired.children import Facts, children
from modelward.desired.finding import Finding
from modelward.desired.monitoring_plan import MonitoringPlan


@pytest.mark.parametrize("url", ["http://host:99999", "http://host:http", "http://:80", "http://[::1", "http://a:0"])
def test_a_url_to_which_nothing_can_connect_is_refused_and_named(url: str) -> None:
    found = children(external(backend={"external": {"url": url}}), MonitoringPlan(), PLAIN, Facts())
    assert isinstance(found, Finding)
    assert found.reason == "InvalidSpec"
    assert found.message.startswith("spec.backend.external.url: ")


@pytest.mark.parametrize("url", ["http://[::1]:80/v1", "https://a", "https://user@a.example:8443/v1"])
def test_a_url_with_host_and_port_is_taken(url: str) -> None:
    assert not isinstance(
        children(external(backend={"external": {"url": url}}), MonitoringPlan(), PLAIN, Facts()), Finding
    )
