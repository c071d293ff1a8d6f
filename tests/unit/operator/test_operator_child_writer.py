"""What is written of the children, and what is not even asked for."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fake_api import FakeApi

from modelward.desired import names
from modelward.desired.children import Child
from modelward.kube.errors import ApiError, Conflict, Forbidden, Invalid
from modelward.kube.kinds import DEPLOYMENT, LLM_ENDPOINT, Kind, Object
from modelward.operator.endpoint.apply import ChildWriter, meant_for
from modelward.operator.endpoint.difference import stamped
from modelward.operator.endpoint.plan import EndpointPlan
from modelward.operator.endpoint.precondition import Precondition
from modelward.operator.endpoint.prune import Pruner

OWNER = {"uid": "uid-of-chat"}


def workload(kind: str) -> Object:
    metadata = {"name": "my-vllm", "namespace": "retail", "labels": {names.ADOPTED_BY: "chat"}}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": {"template": {}}}


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet"])
async def test_a_workload_that_went_away_is_not_made_by_adopting_it(kind: str) -> None:
    api = FakeApi()
    adopting = (Child(workload(kind), names.ADOPT_MANAGER),)
    with pytest.raises(Conflict, match="my-vllm went away"):
        await ChildWriter(api.context).write(adopting, OWNER)
    assert api.writes == []
    api.put(workload(kind))
    assert await ChildWriter(api.context).write(adopting, OWNER) == ()
    assert api.verbs("apply") == (("apply", kind, "my-vllm"),)


@pytest.mark.parametrize(
    ("manager", "as_seen"),
    [(names.ADOPT_MANAGER, True), (names.TEMPLATE_MANAGER, True), (names.SCALE_MANAGER, True), ("modelward", False)],
)
async def test_what_may_restart_or_end_pods_is_written_only_to_a_workload_as_it_was_seen(
    manager: str, as_seen: bool
) -> None:
    api = FakeApi()
    owned = workload("Deployment")
    owned["metadata"]["ownerReferences"] = [{"uid": OWNER["uid"], "controller": True}]
    seen = api.put(owned)
    changed = {**workload("Deployment"), "spec": {"replicas": 2}}
    sent: list[Object] = []

    async def apply(obj: Object, manager: str, **_options: bool) -> Object:
        sent.append(obj)
        return api.put(obj)

    api.apply = apply  # type: ignore[method-assign]
    await ChildWriter(api.context).write((Child(changed, manager),), OWNER)
    meant = [(obj["metadata"]["uid"], obj["metadata"].get("resourceVersion")) for obj in sent]
    assert meant == [(seen["metadata"]["uid"], seen["metadata"]["resourceVersion"] if as_seen else None)]


@pytest.mark.parametrize(
    ("owned_by", "words"),
    [("chat", "of the LLMEndpoint chat that was deleted, and is recreated"), ("other", "give the LLMEndpoint another")],
)
async def test_what_a_former_endpoint_left_is_told_from_what_is_somebody_elses(owned_by: str, words: str) -> None:
    api = FakeApi()
    about = {"name": "config", "namespace": "retail", "labels": {names.ENDPOINT: "chat"}}
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": about}
    former = {"apiVersion": "modelward.dev/v1alpha1", "kind": "LLMEndpoint", "name": owned_by, "uid": "another"}
    api.put({**config, "metadata": {**about, "ownerReferences": [{**former, "controller": True}]}})
    child, owner = Child(config, names.FRAME_MANAGER), {**OWNER, "name": "chat"}
    (problem,) = await ChildWriter(api.context).write((child,), owner)
    assert problem.finding.reason == "NameTaken"
    assert words in problem.finding.message
    assert api.writes == []


def declared(api: FakeApi) -> Precondition:
    """Return what a reconcile of an endpoint rests on."""
    metadata = {"name": "chat", "namespace": "retail"}
    return Precondition(api.context, LLM_ENDPOINT, api.put({**LLMEP, "metadata": metadata, "spec": {}}))


LLMEP = {"apiVersion": LLM_ENDPOINT.api_version, "kind": LLM_ENDPOINT.kind}


def looks(api: FakeApi) -> list[tuple[str, str]]:
    """Return a list that holds, from now on, what is looked for on the server."""
    found, real = [], api.find

    async def find(kind: Kind, namespace: str | None, name: str) -> Object | None:
        found.append((kind.kind, name))
        return await real(kind, namespace, name)

    api.find = find  # type: ignore[method-assign]
    return found


def config(value: str) -> Child:
    metadata = {"name": f"chat-{value}", "namespace": "retail", "ownerReferences": [OWNER]}
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"value": value}}
    return Child(obj, names.FRAME_MANAGER)


async def test_an_endpoint_is_looked_at_once_more_before_a_write_and_not_where_nothing_is_due() -> None:
    api = FakeApi()
    basis, found = declared(api), looks(api)
    children = (config("1"), config("2"))
    assert await ChildWriter(api.context).write(children, OWNER, basis) == ()
    assert found.count(("LLMEndpoint", "chat")) == 1
    found.clear()
    basis = declared(api)
    assert await ChildWriter(api.context).write(children, OWNER, basis) == ()
    assert await Pruner(api.context).remove(EndpointPlan(children, prune=True), basis) == ()
    assert found == []


@pytest.mark.parametrize("gone", [True, False])
async def test_nothing_is_written_because_of_an_endpoint_that_is_no_longer_so(gone: bool) -> None:
    api = FakeApi()
    basis = declared(api)
    newer = {**basis.seen, "metadata": {**basis.seen["metadata"], "resourceVersion": "99"}}

    async def find(_kind: Kind, _namespace: str, name: str) -> Object | None:
        return newer if name == "chat" and not gone else None

    api.find = find  # type: ignore[assignment,method-assign]
    api.put(config("left").obj)
    with pytest.raises(Conflict, match="LLMEndpoint chat"):
        await ChildWriter(api.context).write((config("1"),), OWNER, basis)
    with pytest.raises(Conflict, match="LLMEndpoint chat"):
        await Pruner(api.context).remove(EndpointPlan(prune=True), basis)
    assert api.writes == []
    known = api.store.get(LLM_ENDPOINT, "retail", "chat")
    assert known == (basis.seen if gone else newer), "so that the next try decides by it"


@pytest.mark.parametrize("known", ["nothing", "one that was there before"])
async def test_what_moves_pods_is_decided_anew_where_a_workload_was_not_known_as_it_is(known: str) -> None:
    api = FakeApi()
    if known != "nothing":
        api.put(workload("Deployment"))
    owned = {**workload("Deployment"), "metadata": {**workload("Deployment")["metadata"], "ownerReferences": [OWNER]}}
    there = {**owned, "metadata": {**owned["metadata"], "uid": "1", "resourceVersion": "7"}}

    async def find(_kind: Kind, _namespace: str, _name: str) -> Object | None:
        return there

    api.find = find  # type: ignore[assignment,method-assign]
    with pytest.raises(Conflict, match="in a state that was not known"):
        await ChildWriter(api.context).write((Child(owned, names.TEMPLATE_MANAGER),), OWNER)
    assert api.writes == []
    assert api.store.get(DEPLOYMENT, "retail", "my-vllm") == there


def test_a_version_that_an_object_was_computed_from_stays_in_it() -> None:
    old, now = workload("Deployment"), workload("Deployment")
    old["metadata"]["resourceVersion"] = "3"
    now["metadata"] |= {"uid": "1", "resourceVersion": "7"}
    assert meant_for(now, old, as_seen=True)["metadata"] == {**old["metadata"], "uid": "1", "resourceVersion": "3"}


async def test_an_object_that_is_to_be_made_is_never_laid_over_one_that_is_there() -> None:
    api = FakeApi()
    await ChildWriter(api.context).write((config("1"),), OWNER)
    assert api.bodies[0]["metadata"]["resourceVersion"] == "1", "no object has this version"


@pytest.mark.parametrize("error", [Forbidden, Invalid])
async def test_what_may_not_be_removed_is_named_and_the_rest_is_removed(error: type[ApiError]) -> None:
    api = FakeApi()
    basis = declared(api)
    for value in ("1", "2"):
        api.put(config(value).obj)
    api.refusals["delete"] = error(422, "Invalid", "the platform team says no")
    problems = await Pruner(api.context).remove(EndpointPlan(prune=True), basis)
    assert [problem.finding.reason for problem in problems] == ["Refused", "Refused"]
    assert "ConfigMap chat-1 is no longer needed" in problems[0].finding.message
    assert "the platform team says no" in problems[0].finding.message
    api.refusals["delete"] = Conflict(409, "Conflict", "changed meanwhile")
    assert await Pruner(api.context).remove(EndpointPlan(prune=True), basis) == ()
    api.refusals.clear()
    assert await Pruner(api.context).remove(EndpointPlan((config("1"),), prune=True), basis) == ()
    assert api.writes == [("delete", "ConfigMap", "chat-2")]


async def test_an_account_that_endpoints_of_a_namespace_share_is_asked_for_once_a_minute() -> None:
    api, now_s, asked = FakeApi(), [0.0], list[str]()
    labels = {names.MANAGED_BY: "modelward"}
    metadata = {
        "name": "modelward-gateway",
        "namespace": "retail",
        "labels": labels,
        "uid": "u",
        "resourceVersion": "1",
    }
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}

    async def find(_kind: Kind, _namespace: str, name: str) -> Object | None:
        asked.append(name)
        return stamped(account) if there else None

    there, api.find = True, find  # type: ignore[assignment,method-assign]
    wanted = {**account, "metadata": {key: metadata[key] for key in ("name", "namespace", "labels")}}
    writer = ChildWriter(replace(api.context, monotonic=lambda: now_s[0]))
    for now_s[0] in (0.0, 1.0, 59.0):
        await writer.write((Child(wanted, names.FRAME_MANAGER),), OWNER)
    assert (len(asked), api.writes) == (1, [])
    now_s[0], there = 61.0, False
    await writer.write((Child(wanted, names.FRAME_MANAGER),), OWNER)
    assert (len(asked), api.verbs("apply")) == (2, (("apply", "ServiceAccount", "modelward-gateway"),))
    await writer.write((Child(wanted, names.FRAME_MANAGER),), OWNER)
    assert len(asked) == 3, "what is absent, or was just written, is requested again"
