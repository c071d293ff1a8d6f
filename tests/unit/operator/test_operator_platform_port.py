"""The operator sends to the platform's receivers by its own way out, and one that hangs stops no other."""

from __future__ import annotations

import asyncio
from pathlib import Path

from receiver_cases import FIRING, RECEIVERS, receiver, services

from modelward.alerts.message import AlertMessage
from modelward.alerts.receiver import Addressee, Answered, Told, Undelivered
from modelward.job.delivery.courier import Courier
from modelward.operator.notify.port import AT_ONCE, PlatformPort, platform_port, written_hosts
from modelward.operator.runtime.alert_settings import AlertSettings


def test_the_hosts_that_the_values_write_need_no_second_entry() -> None:
    found = {name: [*written_hosts(receiver(name))] for name in RECEIVERS}
    assert {name: hosts for name, hosts in found.items() if hosts} == {
        "email": ["smtp.example.com"],
        "webhook": ["alerts.example.com"],
        "alertmanager-webhook": ["hook.retail.svc"],
        "alertmanager": ["alertmanager-0.monitoring.svc"],
    }
    port = platform_port(AlertSettings((receiver("alertmanager"),), ("hooks.slack.com",)), {})
    assert port.courier.http.reach.hosts == ("hooks.slack.com", "alertmanager-0.monitoring.svc")


def test_the_way_out_is_that_of_the_pod_settings(tmp_path: Path) -> None:
    port = platform_port(AlertSettings(), {"HTTPS_PROXY": "http://proxy:3128"}, tmp_path)
    assert port.courier.http.way.environ["HTTPS_PROXY"] == "http://proxy:3128"
    assert port.courier.mail.secrets.directory == tmp_path


async def test_a_message_arrives(tmp_path: Path) -> None:
    async with services(tmp_path) as everything:
        port = PlatformPort(everything.town.courier())
        assert await port.deliver(FIRING, Addressee(receiver("pagerduty"))) == Told()
        assert FIRING.key in everything.by_name["pagerduty"].open


class Slow(Courier):
    """A courier of which one receiver answers only when it is told to."""

    async def deliver(self, message: AlertMessage, to: Addressee) -> Answered:  # noqa: ARG002
        if to.receiver.name == "slack":
            await asyncio.Event().wait()
        return Undelivered("HTTP 500")


async def test_a_receiver_that_hangs_holds_up_itself_alone() -> None:
    port = PlatformPort(Slow(None, None))  # type: ignore[arg-type]
    hanging = [asyncio.create_task(port.deliver(FIRING, Addressee(receiver("slack")))) for _ in range(3 * AT_ONCE)]
    await asyncio.sleep(0)
    others = [port.deliver(FIRING, Addressee(receiver("teams"))) for _ in range(3 * AT_ONCE)]
    assert await asyncio.gather(*others) == [Undelivered("HTTP 500")] * (3 * AT_ONCE)
    for one in hanging:
        one.cancel()
