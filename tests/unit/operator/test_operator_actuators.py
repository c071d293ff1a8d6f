"""What every actuator keeps, and that one more needs one file: the toy takes part in all that an operator does."""

from __future__ import annotations

import copy
from typing import Any, get_args

import pytest
from plan_bench import Bench, Writes, bare, endpoint
from toy_actuator import TOY, Toy

from modelward.api.llmendpoint import LLMEndpoint, ScalingMode
from modelward.cli.cluster.rights import RIGHTS, rights_on
from modelward.cli.rendering import rendered
from modelward.desired import names
from modelward.kube.kinds import LLM_ENDPOINT, kind_of
from modelward.operator.actuators.actuator import Actuator
from modelward.operator.actuators.registry import ACTUATORS, child_kinds
from modelward.operator.endpoint.gathered import Gathered
from modelward.operator.runtime.process import MANAGED, WATCHED
from modelward.reasons.scaling import ScalingReason
from modelward.scaling.decision import Decision
from modelward.scaling.history import DecisionHistory

every = pytest.mark.parametrize("actuator", [*ACTUATORS.values(), Toy()], ids=lambda one: one.mode)
SPEC = {"backend": {"template": {"image": "llama", "port": 8080}}, "scaling": {"mode": "Direct", "maxReplicas": 4}}
ABOUT = {"name": "chat", "namespace": "retail", "uid": "u", "resourceVersion": "7"}


def view(**spec: Any) -> Gathered:
    model = LLMEndpoint.model_validate({"metadata": ABOUT, "spec": {**SPEC, **spec}})
    workload = {"kind": "Deployment", "metadata": {"name": "chat"}, "spec": {"replicas": 2}}
    return Gathered(model, {"metadata": ABOUT}, (), {}, allow_raw=False, workload=workload)


def decision(replicas: int | None = 3) -> Decision:
    return Decision(replicas, ScalingReason.LOAD, "40 tok/s", replicas, None, DecisionHistory())


def test_every_mode_but_off_has_an_actuator() -> None:
    assert {*ACTUATORS, "Off"} == set(get_args(ScalingMode))
    assert all(mode == one.mode for mode, one in ACTUATORS.items())


@every
def test_its_kinds_are_found_watched_and_granted(actuator: Actuator) -> None:
    for kind in actuator.kinds:
        assert kind_of({"apiVersion": kind.api_version, "kind": kind.kind}) == kind
    shipped = actuator.kinds if actuator.mode in ACTUATORS else ()
    watched = {(one.kind, one.label_selector) for one in WATCHED}
    assert {(kind, MANAGED) for kind in shipped} <= watched
    assert rights_on(shipped).items() <= RIGHTS.items(), "the chart is compared with these"
    assert all(not kind.group.endswith("modelward.dev") for kind in actuator.kinds)


@every
@pytest.mark.parametrize("made", [None, decision()], ids=["undecided", "decided"])
def test_its_children_are_of_its_kinds_and_the_endpoints_own(actuator: Actuator, made: Decision | None) -> None:
    endpoint = view().endpoint
    found = actuator.children(endpoint, made)
    assert found == actuator.children(endpoint, made)
    for child in found:
        metadata = child.obj["metadata"]
        assert kind_of(child.obj) in actuator.kinds
        assert child.manager == names.FRAME_MANAGER
        assert (metadata["namespace"], metadata["ownerReferences"][0]["uid"]) == ("retail", "u")
        assert metadata["labels"].items() >= {names.MANAGED_BY: "modelward", names.ENDPOINT: "chat"}.items()
        assert len(metadata["name"]) <= names.NAME_LIMIT


@every
def test_it_asks_for_no_replicas_that_are_unknown_paused_or_there(actuator: Actuator) -> None:
    assert actuator.replicas(view(), decision(None)) is None
    assert actuator.replicas(view(), decision(2)) is None
    assert actuator.replicas(view(paused=True), decision(3)) is None


@every
def test_what_it_sets_is_set_on_the_version_that_was_seen(actuator: Actuator) -> None:
    write = actuator.replicas(view(), decision(3))
    if write is None:
        assert actuator.mode != "Direct"
        return
    assert (write.kind, write.name, write.replicas, write.resource_version) == (LLM_ENDPOINT, "chat", 3, "7")


@every
def test_it_tells_of_a_decision_and_changes_nothing_that_it_is_shown(actuator: Actuator) -> None:
    shown = view()
    before = copy.deepcopy((shown.raw, shown.workload))
    state = actuator.state(shown, decision())
    assert (state.type, state.status, state.reason) == ("ScalingActive", "True", ScalingReason.LOAD)
    assert state.message.endswith("40 tok/s")
    assert actuator.rival(shown) is None
    assert (shown.raw, shown.workload) == before


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the toy carry out what mode Direct does: a mode of its own is a value of the API's enum."""
    monkeypatch.setitem(ACTUATORS, "Direct", Toy())
    assert child_kinds() == (TOY,)


SCALED = {**SPEC, "engine": "llamacpp"}
WRITTEN = (names.FRAME_MANAGER, "ToyScaler", "chat-scaler")


@pytest.mark.usefixtures("toy")
async def test_what_an_actuator_brings_is_planned_written_kept_and_taken_away_as_any_child() -> None:
    bench = Bench()
    foretold = await bench.foretold(endpoint(SCALED))
    assert WRITTEN in foretold.applied
    assert await bench.done(endpoint(SCALED)) == foretold
    await bench.settle()
    assert await bench.done(endpoint(SCALED)) == Writes()
    more = {**SCALED, "scaling": {"mode": "Direct", "maxReplicas": 9}}
    assert await bench.done(endpoint(more)) == Writes((WRITTEN,))
    paused = {**SCALED, "paused": True}
    assert await bench.done(endpoint(paused)) == await bench.foretold(endpoint(paused)) == Writes()
    off = endpoint({**SCALED, "scaling": {"mode": "Off", "maxReplicas": 9}})
    foretold = await bench.foretold(off)
    assert await bench.done(off) == foretold == Writes(deleted=frozenset({("ToyScaler", "chat-scaler")}))


@pytest.mark.usefixtures("toy")
async def test_what_an_actuator_brings_stays_while_a_new_leader_has_read_no_page_yet() -> None:
    bench = Bench()
    await bench.done(endpoint(SCALED))
    await bench.settle()
    sidecar = {**bare(names.selector("chat", "model")), "spec": {"initContainers": [{"name": names.COLLECTOR}]}}
    bench.api.put(sidecar)
    assert await bench.done({**endpoint(SCALED), "status": {"observedGeneration": 1}}) == Writes()
    assert await bench.reconciler.endpoints.reconcile("retail", "chat") == 1.0, "it waits for its first reading"


@pytest.mark.usefixtures("toy")
def test_what_an_actuator_brings_is_rendered() -> None:
    assert "ToyScaler" in [one["kind"] for one in rendered([endpoint(SCALED)])]
