"""Silences that people ask the hub for: by right, within bounds, on record, and shown until the operator made them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hub_fixtures import NOW_MS
from hypothesis import given
from hypothesis import strategies as st
from people_fixtures import retail_and_bank
from secured_hub import OPERATOR, Cluster, Secured, refused, secured_hub

from modelward.api.preview import SilenceRequest
from modelward.api.silence_order import SilenceOrder
from modelward.hub.errors import HubError
from modelward.hub.people.settings import PeopleSettings
from modelward.hub.people.wanted_silences import MOST_OF_NAMESPACE, WantedSilences
from modelward.hub_client.client import HubUnavailableError
from modelward.hub_client.shown import Telling

HOUR_MS = 3_600_000
READER, VIEWER, OTHER = ("retail", "modelward-reader"), ("retail", "modelward-viewer"), ("shop", "modelward-viewer")


@pytest.fixture
async def secured(cluster: Cluster, tmp_path: Path) -> AsyncIterator[Secured]:
    cluster.granted.add(("system:serviceaccount:retail:modelward-reader", "create", "alertsilences", "retail"))
    async with secured_hub(cluster, tmp_path, people=PeopleSettings(reviews=True)) as s:
        async with s.client(*OPERATOR) as operator:
            await operator.put_objects(retail_and_bank(), telling=Telling("all", last=True))
        yield s


def asked(**changes: Any) -> SilenceRequest:
    return SilenceRequest(namespace="retail", endpoint="chat", until_ms=NOW_MS + HOUR_MS).model_copy(update=changes)


async def test_a_silence_is_requested_until_the_operator_made_it(secured: Secured) -> None:
    async with secured.person(secured.cluster.token(*READER)) as person, secured.client(*OPERATOR) as operator:
        found = await person.silence(asked(alerts=("Check/topic",), until_resolved=True, comment="rolling back"))
        assert (found.state, found.by) == ("Requested", "system:serviceaccount:retail:modelward-reader")
        assert (await person.alerts()).silences == (found,)
        assert (await person.endpoint("retail", "chat")).silences == (found,)
        [order] = await operator.silence_orders()
        spec = order.spec()
        assert (order.name, spec.author, spec.alerts) == (found.name, found.by, ("Check/topic",))
        assert (spec.endpoint, spec.until_resolved, spec.comment) == ("chat", True, "rolling back")
        for _ in range(2):
            await operator.silence_made(order)
        assert (await person.alerts()).silences == ()
        assert await operator.silence_orders() == []
        [act] = [one for one in (await person.reads("retail")).rows if one.verb == "silence"]
        assert (act.object, act.allowed, "Check/topic" in act.filter) == ("retail/chat", True, True)


async def test_what_the_api_server_refuses_is_shown_with_its_cause(secured: Secured) -> None:
    async with secured.person(secured.cluster.token(*READER)) as person, secured.client(*OPERATOR) as operator:
        await person.silence(asked())
        [order] = await operator.silence_orders()
        await operator.silence_made(order, "a policy of the cluster wants a comment")
        [view] = (await person.alerts()).silences
        assert (view.state, view.problem) == ("Refused", "a policy of the cluster wants a comment")
        assert await operator.silence_orders() == []


async def test_only_who_may_asks_and_nobody_hears_of_others(secured: Secured) -> None:
    tokens = secured.cluster
    async with secured.person(tokens.token(*VIEWER)) as viewer, secured.person(tokens.token(*READER)) as reader:
        assert await refused(viewer.silence(asked())) == 403
        assert await refused(reader.silence(asked(endpoint="none"))) == 404
        with pytest.raises(HubUnavailableError) as error:
            await reader.silence(asked(namespace="bank", endpoint="secret-project"))
        with pytest.raises(HubUnavailableError) as other:
            await reader.silence(asked(namespace="bank", endpoint="is-not-there"))
        assert error.value.status == other.value.status == 404
        assert str(error.value).replace("secret-project", "is-not-there") == str(other.value)
        await reader.silence(asked())
    async with secured.person(tokens.token(*OTHER)) as stranger:
        assert (await stranger.alerts()).silences == ()
    for account in (READER, VIEWER, ("retail", "pod"), ("retail", "modelward-evaluate")):
        async with secured.client(*account) as other_account:
            assert await refused(other_account.silence_orders()) == 403
            order = SilenceOrder(id="0" * 16, asked=asked(), author="x")
            assert await refused(other_account.silence_made(order)) == 403


@pytest.mark.parametrize(
    "wrong",
    [
        {"until_ms": NOW_MS - 1},
        {"until_ms": NOW_MS + 31 * 24 * HOUR_MS},
        {"until_resolved": True},
        {"until_resolved": True, "alerts": ("Check",)},
        {"alerts": ("no such alert; rm -rf",)},
        {"endpoint": "../bank/secret-project"},
        {"namespace": "retail/chat"},
    ],
)
async def test_what_no_silence_can_say_is_refused_with_its_cause(secured: Secured, wrong: dict[str, Any]) -> None:
    async with secured.person(secured.cluster.token(*READER)) as person:
        assert await refused(person.silence(asked(**wrong))) == 400
        assert (await person.alerts()).silences == ()


@given(st.lists(st.tuples(st.sampled_from(["ask", "made", "refuse", "later"]), st.sampled_from(["a", "b"]))))
def test_a_namespace_holds_so_many_and_takes_no_room_from_another(steps: list[tuple[str, str]]) -> None:
    now = [NOW_MS]
    wanted = WantedSilences(lambda: now[0])
    for act, namespace in steps * 10:
        own = [one for one in wanted.waiting() if one.asked.namespace == namespace]
        if act == "ask":
            full = len(wanted.of(namespace)) == MOST_OF_NAMESPACE
            try:
                wanted.keep(wanted.order(asked(namespace=namespace, until_ms=now[0] + HOUR_MS), "ann"))
            except HubError:
                assert full
            else:
                assert not full
        elif act == "later":
            now[0] += HOUR_MS // 20
        elif own:
            wanted.settle(own[0].id, "" if act == "made" else "no")
        assert all(len(wanted.of(name)) <= MOST_OF_NAMESPACE for name in "ab")
