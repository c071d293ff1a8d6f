"""Garbage in one namespace, in every kind of object and in the hub, changes no byte of what is written for another."""

from __future__ import annotations

import asyncio
import copy
import json
from collections import defaultdict
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from fake_api import FakeApi
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from modelward.api.evaluation import Counts, EvaluatorFacts, WindowResult, result_to_json
from modelward.api.quantity import timestamp
from modelward.desired import names
from modelward.hub_client.client import HubClient
from modelward.kube.kinds import Kind, Object
from modelward.kube.scale import Scale
from modelward.operator.runtime import assembly
from modelward.operator.runtime.dispatch import Dispatcher
from modelward.operator.runtime.process import WATCHED
from modelward.operator.runtime.work_queue import WorkKey

NOW_MS = 1_795_480_000_000
HOUR_MS = 3_600_000
API = "modelward.dev/v1alpha1"
TEXT = st.text(max_size=8)
NUMBERS = st.integers(-(1 << 63), (1 << 63) - 1) | st.floats(allow_nan=False, allow_infinity=False)


def anything(atoms: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return whatever JSON can hold, of these atoms."""
    lists = st.recursive(
        atoms, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3), max_leaves=8
    )
    return lists | atoms


ROWS = anything(st.none() | st.booleans() | NUMBERS | TEXT)
JSON = anything(st.none() | st.booleans() | NUMBERS | st.floats() | TEXT)
OWN_KINDS = ("LLMEndpoint", "MonitoringPolicy", "Evaluator", "EvaluationRun")


class Recorded(FakeApi):
    """A cluster in memory that notes what is written in each namespace; versions are counted per namespace."""

    def __init__(self) -> None:
        super().__init__()
        self.written: dict[str, list[Any]] = defaultdict(list)
        self.versions: dict[str, int] = defaultdict(int)

    def put(self, obj: Object) -> Object:
        self.versions[obj["metadata"]["namespace"]] += 1
        self.version = self.versions[obj["metadata"]["namespace"]] - 1
        return super().put(obj)

    def _write(self, verb: str, obj: Object) -> Object:
        self.written[obj["metadata"]["namespace"]].append((verb, copy.deepcopy(obj)))
        return super()._write(verb, obj)

    async def patch(self, kind: Kind, namespace: str, name: str, patch: Object) -> Object:
        self.written[namespace].append(("patch", kind.kind, name, patch))
        return await super().patch(kind, namespace, name, patch)

    async def delete(self, kind: Kind, namespace: str, name: str, **preconditions: str) -> bool:
        self.written[namespace].append(("delete", kind.kind, name, preconditions))
        return await super().delete(kind, namespace, name, **preconditions)

    async def set_scale(self, kind: Kind, namespace: str, name: str, replicas: int, **more: Any) -> Scale:
        self.written[namespace].append(("scale", kind.kind, name, replicas))
        return await super().set_scale(kind, namespace, name, replicas, **more)

    async def event(self, regarding: Object, *, type: str, reason: str, note: str) -> None:  # noqa: A002
        self.written[regarding["metadata"]["namespace"]].append(("event", reason, note))
        await super().event(regarding, type=type, reason=reason, note=note)


def obj(kind: str, name: str, spec: Any, namespace: str = "good", api: str = API, **more: Any) -> Object:
    about = {"name": name, "namespace": namespace, "generation": 1, "creationTimestamp": "2026-01-01T00:00:00Z"}
    return {"apiVersion": api, "kind": kind, "metadata": {**about, **more}, "spec": spec}


CONTAINER = {"name": "m", "ports": [{"containerPort": 80}]}
TEMPLATE = {"metadata": {"labels": {"app": "v"}}, "spec": {"containers": [CONTAINER]}}
DEPLOYMENT = {"replicas": 1, "selector": {"matchLabels": {"app": "v"}}, "template": TEMPLATE}
POLICY = {
    "endpointSelector": {},
    "capture": {"content": "Redacted"},
    "evaluations": [{"name": "pii", "check": {"builtin": "PII"}, "failAbove": "10%"}],
}
ENDPOINT = {"backend": {"workloadRef": {"name": "vllm"}}, "collector": {"mode": "Sidecar"}, "replicas": 2}
FROM, TO = timestamp(NOW_MS - HOUR_MS), timestamp(NOW_MS)
ITEM = {"endpoint": "chat", "policy": "baseline", "evaluation": "pii", "from": FROM, "to": TO}
SPECS: dict[str, Any] = {
    "LLMEndpoint": ENDPOINT,
    "MonitoringPolicy": POLICY,
    "Evaluator": {"builtin": "PII"},
    "EvaluationRun": {"items": [ITEM]},
}
NAMES = {"LLMEndpoint": "chat", "MonitoringPolicy": "baseline", "Evaluator": "shared", "EvaluationRun": "look-back"}
RESULT = WindowResult(
    "good", "chat", "baseline", "pii", NOW_MS - HOUR_MS, NOW_MS, names.run(NOW_MS), EvaluatorFacts("PII", "1"),
    {"": Counts(500, 1, 0, 0, 500.0, 500.0, 1.0)},
)  # fmt: skip
GOOD = (
    *(obj(kind, NAMES[kind], SPECS[kind]) for kind in OWN_KINDS),
    obj("Deployment", "vllm", DEPLOYMENT, api="apps/v1"),
    obj("LLMEndpoint", "api", {"backend": {"external": {"url": "http://llm.example"}}}),
)


@st.composite
def specs(draw: st.DrawFn, kind: str) -> Any:
    """Return garbage, or a good spec with garbage at one place."""
    if draw(st.booleans()):
        return draw(JSON)
    spec = copy.deepcopy(SPECS[kind])
    inside: Any = spec
    while True:
        key = draw(st.sampled_from(sorted(inside) if isinstance(inside, dict) else range(len(inside))))
        if not isinstance(inside[key], dict | list) or not inside[key] or draw(st.booleans()):
            inside[key] = draw(JSON)
            return spec
        inside = inside[key]


@st.composite
def garbage(draw: st.DrawFn) -> list[Object]:
    """Return objects of namespace `bad`, with names that are in use elsewhere, and whatever may stand in them."""
    marks = st.sampled_from([names.ADOPTED_BY, names.ENDPOINT, names.RUN, names.INJECTED, "x"])
    notes = st.dictionaries(marks, TEXT, max_size=3)
    found = []
    for kind in OWN_KINDS:
        made = obj(kind, NAMES[kind], draw(specs(kind)), "bad", labels=draw(notes), annotations=draw(notes))
        found.append({**made, "status": draw(JSON)})
    workload = obj("Deployment", "vllm", DEPLOYMENT, "bad", "apps/v1", labels=draw(notes), annotations=draw(notes))
    config = obj("ConfigMap", names.collector_config("chat"), None, "bad", "v1", labels=draw(notes))
    config["data"] = draw(st.none() | st.dictionaries(st.sampled_from(["collector.json", "hub-ca.pem"]), TEXT))
    return [*found, workload, config]


class Hub:
    """Answers with the rows that it is given, and notes the rules that it is sent."""

    def __init__(self, rows: list[Any], held: list[Any]) -> None:
        self.rows, self.held = rows, held
        self.rules: dict[str, Any] = {}

    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_put("/v1/rules", self.put_rules)
        app.router.add_get("/v1/{path:.+}", self.get)
        return app

    async def get(self, _: web.Request) -> web.Response:
        return web.json_response({"results": self.rows, "endpoints": self.held, "records": self.rows})

    async def put_rules(self, request: web.Request) -> web.Response:
        self.rules = (await request.json())["rules"]
        return web.json_response({})


async def lived(objects: list[Object], rows: list[Any], held: list[Any]) -> tuple[list[Any], Any, set[str]]:
    """Let an operator live with these for some rounds; return what is written for `good`, its rule, and who failed."""
    api, failed = Recorded(), set[str]()
    for each in objects:
        api.put(copy.deepcopy(each))
    reconciler = assembly.build(api.context, lambda: NOW_MS)
    hub = Hub(rows, held)
    async with TestServer(hub.application()) as server, HubClient(str(server.make_url("/"))) as client:
        reconciler.endpoints.hub.hub = client
        for _ in range(3):
            await reconciler.endpoints.hub.refresh()
            for key in sorted(_keys(api, reconciler)):
                try:
                    await reconciler.reconcile(key)
                except Exception:  # noqa: BLE001 - the queue waits and tries such a key again
                    failed.add(key.namespace)
    assert reconciler.endpoints.hub.available
    return api.written["good"], hub.rules.get("good/chat"), failed


def _keys(api: FakeApi, reconciler: Dispatcher) -> set[WorkKey]:
    keys = set[WorkKey]()
    for each in WATCHED:
        for one in api.store.list(each.kind):
            try:
                keys.update(reconciler.keys_for(each.kind, one))
            except Exception:  # noqa: BLE001 - so does the operator, which logs it
                assert one["metadata"]["namespace"] == "bad"
    return keys


def _text(written: Any) -> str:
    return json.dumps(written, sort_keys=True, default=str)


SOUND = settings(
    max_examples=12, deadline=None, derandomize=True, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)


@SOUND
@given(garbage(), st.lists(ROWS, max_size=5), st.lists(ROWS, max_size=3), st.booleans())
def test_garbage_of_one_namespace_changes_no_byte_of_what_is_written_for_another(
    made: list[Object], rows: list[Any], held: list[Any], first: bool
) -> None:
    good = [result_to_json(RESULT)]
    holding = {"endpoint": "good/chat", "exchanges": 900, "oldestMs": 1, "newestMs": NOW_MS - 1}
    forged = [{**good[0], "namespace": "bad", "to_ms": 10**14}, {**good[0], "namespace": "bad", "policy": None}]

    async def both() -> None:
        alone = await lived(list(GOOD), good, [holding])
        beside = [*made, *GOOD] if first else [*GOOD, *made]
        crowded = await lived(beside, [*rows, *forged, *good, *rows], [*held, holding])
        assert alone[2] == set()
        assert len(alone[0]) > 5
        assert crowded[2] <= {"bad"}
        assert (_text(crowded[0]), crowded[1]) == (_text(alone[0]), alone[1])

    asyncio.run(both())
