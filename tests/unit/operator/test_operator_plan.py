"""One plan: what a preflight says that an apply would write is what the reconcile after it writes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from desired_specimens import SHORT, USER_POD, workload
from hypothesis import given, settings
from hypothesis import strategies as st
from long_form import FULL
from plan_bench import API, Bench, Writes, assert_agreement, bare, endpoint

from modelward.desired import names
from modelward.kube.kinds import Object

GOLDEN_FILES = Path(__file__).parents[2] / "fixtures/golden/desired"
RELEASED = {path.stem: json.loads(path.read_text()) for path in sorted((GOLDEN_FILES / "released").glob("*.json"))}


def autoscaler(kind: str, name: str) -> Object:
    spec = {"scaleTargetRef": {"kind": kind, "name": name}}
    about = {"name": "theirs", "namespace": "retail"}
    return {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": about, "spec": spec}


def theirs(kind: str, replicas: int = 1) -> Object:
    made = workload(kind)
    return {**made, "spec": {**made["spec"], "replicas": replicas}}


def rival(day: int, **spec: Any) -> Object:
    metadata = {"name": "canary", "namespace": "retail", "creationTimestamp": f"2026-01-0{day}T00:00:00Z"}
    whole = {"backend": {"workloadRef": {"name": "my-vllm"}}, **spec}
    return {"apiVersion": API, "kind": "LLMEndpoint", "metadata": metadata, "spec": whole}


HERE = {"engine": "llamacpp", "backend": {"template": SHORT}}
OWN_POD = {**HERE, "backend": {"template": {"podTemplate": USER_POD, "port": 8000}}}
REFERRED = {"engine": "vllm", "backend": {"workloadRef": {"name": "my-vllm"}}}
OF_STATEFUL_SET = {"engine": "vllm", "backend": {"workloadRef": {"name": "my-vllm", "kind": "StatefulSet"}}}
OUTSIDE = {"engine": "openai", "backend": {"external": {"url": "https://api.example.com/v1"}}}
MODES: tuple[dict[str, Any], ...] = tuple(
    {"collector": {"mode": mode}} for mode in ("Sidecar", "Gateway", "ScrapeOnly")
)
GOLDEN: dict[str, tuple[dict[str, Any], ...]] = {
    "template-first": ({**HERE, "replicas": 2},),
    "template-steady": ({**HERE, "replicas": 2}, {**HERE, "replicas": 2}),
    "template-changed": ({**HERE, "replicas": 2}, {**HERE, "replicas": 2, "drainSeconds": 60}),
    "template-scrape-only": ({**HERE, **MODES[2]},),
    "template-gateway": ({**HERE, **MODES[1]},),
    "template-leaves-gateway": ({**HERE, **MODES[1]}, {**HERE, **MODES[2]}),
    "adopted-deployment": ({**REFERRED, **MODES[0]},),
    "adopted-statefulset": ({**OF_STATEFUL_SET, **MODES[0]},),
    "adopted-and-left": ({**REFERRED, **MODES[0]}, {**REFERRED, **MODES[1]}),
    "referred-gateway": ({**REFERRED, **MODES[1]},),
    "referred-scrape-only": ({**REFERRED, **MODES[2], "replicas": 3},),
    "external": ({**OUTSIDE, "gateway": {"replicas": 3}},),
    "paused": ({**HERE, "replicas": 2}, {**HERE, "replicas": 5, "drainSeconds": 60, "paused": True}),
}


@pytest.mark.parametrize("case", GOLDEN)
async def test_a_preflight_of_each_golden_spec_says_what_its_reconcile_writes(case: str) -> None:
    bench = Bench()
    bench.api.put(theirs("Deployment", 2))
    bench.api.put(theirs("StatefulSet", 2))
    for spec in GOLDEN[case]:
        await assert_agreement(bench, endpoint(spec))


@pytest.mark.parametrize("version", RELEASED)
async def test_over_what_a_released_version_made_it_says_so_as_well(version: str) -> None:
    released, bench = RELEASED[version], Bench()
    about = {**released["endpoint"]["metadata"], "name": "chat", "namespace": "retail"}
    reference = {"kind": "LLMEndpoint", "name": "chat", "uid": "uid-of-chat", "apiVersion": API, "controller": True}
    made = {**released["workload"]["metadata"], "name": "chat", "namespace": "retail", "ownerReferences": [reference]}
    bench.api.put({**released["workload"], "metadata": made})
    await assert_agreement(bench, endpoint(released["endpoint"]["spec"], **{**about, "uid": "uid-of-chat"}))


async def test_an_older_rival_is_seen_by_both() -> None:
    bench = Bench()
    bench.api.put(theirs("Deployment", 2))
    bench.api.put(rival(1, replicas=2))
    wanted = endpoint({**REFERRED, **MODES[0], "replicas": 3}, creationTimestamp="2026-01-02T00:00:00Z")
    assert await bench.foretold(wanted) == await bench.done(wanted) == Writes()


async def test_a_rehearsal_that_has_passed_is_seen_by_both() -> None:
    bench = Bench()
    bench.api.put(theirs("Deployment", 2))
    wanted = endpoint({**REFERRED, **MODES[0]})
    await bench.done(wanted)
    bench.start_rehearsal()
    foretold = await bench.foretold(wanted)
    assert (names.ADOPT_MANAGER, "Deployment", "my-vllm") in foretold.applied
    assert foretold.deleted == {("Deployment", "chat-rehearsal")}
    assert await bench.done(wanted) == foretold


async def test_pods_without_a_collector_are_seen_by_both() -> None:
    bench = Bench()
    bench.api.put(bare(names.selector("chat", "model")))
    await assert_agreement(bench, endpoint(HERE))
    await assert_agreement(bench, endpoint({**HERE, "replicas": 2}))


async def test_a_new_authority_of_the_hub_reaches_a_paused_endpoint_in_both() -> None:
    bench, paused = Bench(), endpoint({**HERE, "drainSeconds": 60, "paused": True})
    await assert_agreement(bench, endpoint(HERE))
    assert await bench.foretold(paused) == Writes()
    bench.installed("second")
    foretold = await bench.foretold(paused)
    assert foretold.applied == ((names.FRAME_MANAGER, "ConfigMap", names.collector_config("chat")),)
    assert await bench.done(paused) == foretold


SPECS = st.builds(
    lambda backend, mode, more: {**backend, **mode, **more} if backend is not OUTSIDE else {**backend, **more},
    st.sampled_from(
        [
            HERE,
            {**HERE, "backend": {"template": {"podTemplate": USER_POD, "port": 8000}}},
            REFERRED,
            OF_STATEFUL_SET,
            OUTSIDE,
        ]
    ),
    st.sampled_from(MODES),
    st.fixed_dictionaries(
        {},
        optional={
            "replicas": st.integers(0, 3),
            "paused": st.booleans(),
            "drainSeconds": st.sampled_from([30, 60]),
            "service": st.sampled_from([{"name": "front"}, {"port": 8000}]),
            "gateway": st.just({"replicas": 3}),
            "scaling": st.just({"mode": "Advisory", "maxReplicas": 4}),
        },
    ),
)
AROUND = st.lists(
    st.sampled_from(
        [
            autoscaler("Deployment", "my-vllm"),
            autoscaler("Deployment", "chat"),
            rival(1, replicas=2),
            rival(1),
            {**theirs("Deployment"), "metadata": {"name": "chat-gateway", "namespace": "retail"}},
            {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "front", "namespace": "retail"}, "spec": {}},
        ]
    ),
    max_size=4,
)


@settings(max_examples=150 if FULL else 50)
@given(specs=st.lists(SPECS, min_size=1, max_size=3), around=AROUND, runs=st.booleans())
def test_a_preflight_says_what_the_reconcile_writes(
    specs: Sequence[dict[str, Any]], around: Sequence[Object], runs: bool
) -> None:
    async def history() -> None:
        bench = Bench()
        for kind in ("Deployment", "StatefulSet") if runs else ():
            bench.api.put(theirs(kind, 2))
        for obj in around:
            bench.api.put(obj)
        for spec in specs:
            wanted = endpoint(spec, creationTimestamp="2026-01-02T00:00:00Z")
            foretold = await bench.foretold(wanted)
            assert await bench.done(wanted) == foretold
            await bench.settle()

    asyncio.run(history())
