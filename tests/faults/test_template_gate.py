"""What a released version has put into model servers is left as it is by this one, whatever it is set up with.

Each file of `released/` is loaded as the live Deployment with the field managers of its release; then the operator of
today reconciles over it with one change of its surroundings after the other.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from driver import driving
from proxy import Proxy
from user import API, TEAM, User
from waiting import PROCESS_PATIENCE_S

from modelward.api.llmendpoint import LLMEndpoint
from modelward.desired import adoption, names
from modelward.desired.installation import PodSettings
from modelward.kube.kinds import DEPLOYMENT, LLM_ENDPOINT, Object
from modelward.operator.endpoint.difference import stamped

RELEASED = Path(__file__).resolve().parents[1] / "fixtures" / "golden" / "desired" / "released"
SETTLED = PodSettings(
    image_pull_secrets=("mirror",),
    node_selector={"pool": "shared"},
    tolerations=({"key": "shared", "operator": "Exists"},),
    priority_class_name="low",
    labels={"cost-centre": "platform"},
    annotations={"team": "platform"},
    env={"HTTPS_PROXY": "http://proxy.example:3128"},
)
SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "the operator of today": {},
    "another collector": {"collector_image": "mirror.example/collector:9"},
    "another hub": {"hub_url": "https://hub.example:8443"},
    "no hub": {"hub_url": None},
    "other pod settings": {"pod": SETTLED},
    "all at once": {"collector_image": "mirror.example/collector:10", "hub_url": "http://hub.example", "pod": SETTLED},
}
OBJECTIVE = {"name": "errors", "metric": "ErrorRate", "maxRate": "1%"}
POLICIES: Mapping[str, Mapping[str, Any]] = {
    "metadata only": {"capture": {"content": "MetadataOnly", "sample": "50%"}},
    "redacted": {"capture": {"content": "Redacted", "sample": "10%", "keepFor": "24h"}, "objectives": [OBJECTIVE]},
}
SPECS: Mapping[str, Mapping[str, Any]] = {
    "scaling": {"scaling": {"mode": "Advisory", "minReplicas": 1, "maxReplicas": 8}},
    "prices and callers": {
        "usage": {
            "prices": {
                "currency": "USD",
                "models": [{"model": "*", "perMillionInputTokens": "0.15", "perMillionOutputTokens": "0.60"}],
            },
            "callers": {"header": "x-team"},
        }
    },
    "another port of the Service": {"service": {"port": 8000}},
}


Released = Mapping[str, Any]
"""What `write-release` has kept: an endpoint, its workload, and of an adopted one whose is what of it."""
releases = pytest.mark.parametrize(
    "released", [pytest.param(json.loads(path.read_text()), id=path.stem) for path in sorted(RELEASED.glob("*.json"))]
)


async def load(user: User, released: Released) -> Object:
    """Put endpoint and Deployment of a release into the cluster; return the Deployment."""
    spec = released["endpoint"]["spec"]
    about = {"name": released["endpoint"]["metadata"]["name"], "labels": TEAM}
    made = await user.apply({"apiVersion": API, "kind": "LLMEndpoint", "metadata": about, "spec": spec})
    parts = _adopted(released, made) if "injection" in released else _owned(released, made)
    for obj, manager in parts:
        here = {**obj, "metadata": {**obj["metadata"], "namespace": user.namespace}}
        await user.apply(stamped(here) if manager == names.FRAME_MANAGER else here, manager)
    return await seen(user, released["workload"]["metadata"]["name"])


async def seen(user: User, name: str) -> Object:
    """Return a Deployment once the cluster's own controller has noted its revision on it, which counts as a change."""
    async with asyncio.timeout(PROCESS_PATIENCE_S):
        while True:
            found = await user.get(DEPLOYMENT, name)
            if found.get("status", {}).get("observedGeneration") == found["metadata"]["generation"]:
                return found
            await asyncio.sleep(0.05)


def _owned(released: Released, made: Object) -> list[tuple[Object, str]]:
    """Return the Deployment as its three managers apply it; the owner is the endpoint of today."""
    whole = json.loads(json.dumps(released["workload"]).replace("uid-of-chat", made["metadata"]["uid"]))
    kind = {key: whole[key] for key in ("apiVersion", "kind")}
    name = {"name": whole["metadata"]["name"]}
    metadata = {key: value for key, value in whole["metadata"].items() if key != "annotations"}
    frame = {key: value for key, value in whole["spec"].items() if key not in ("template", "replicas")}
    parts = [
        (whole, names.TEMPLATE_MANAGER),
        ({**kind, "metadata": metadata, "spec": frame}, names.FRAME_MANAGER),
    ]
    if "replicas" in whole["spec"]:
        count = {"replicas": whole["spec"]["replicas"]}
        parts.append(({**kind, "metadata": name, "spec": count}, names.SCALE_MANAGER))
    return parts


def _adopted(released: Released, made: Object) -> list[tuple[Object, str]]:
    """Return the user's Deployment and what was put into it.

    The note of it is made from the endpoint's uid, which is another one here: it is translated where today's code
    makes the same note of the endpoint as the release did.
    """
    theirs, ours = released["theirs"], json.loads(json.dumps(released["injection"]))
    for obj in (theirs, ours):
        obj["metadata"].pop("uid", None)
    if ours["metadata"]["annotations"][names.INJECTED] == _note(released["endpoint"]):
        ours["metadata"]["annotations"][names.INJECTED] = _note(made)
    return [(theirs, "user"), (ours, names.ADOPT_MANAGER)]


def _note(endpoint: Mapping[str, Any]) -> str:
    read = LLMEndpoint.model_validate(endpoint)
    return f"{adoption.injection_hash(read)}/{read.metadata.uid}"


@releases
async def test_the_pods_of_every_release_are_left_as_they_are(proxy: Proxy, user: User, released: Released) -> None:
    before = await load(user, released)
    name = before["metadata"]["name"]
    pods = json.dumps(before["spec"]["template"], sort_keys=True)

    async def unchanged(what: str) -> None:
        now = await user.get(DEPLOYMENT, name)
        assert json.dumps(now["spec"]["template"], sort_keys=True) == pods, what
        assert now["metadata"]["generation"] == before["metadata"]["generation"], what

    for what, settings in SETTINGS.items():
        async with driving(proxy, [user.namespace], **settings) as driver:
            await driver.converge()
        await unchanged(what)
    endpoint = released["endpoint"]["metadata"]["name"]
    async with driving(proxy, [user.namespace], collector_image="mirror.example/collector:11", pod=SETTLED) as driver:
        for what, policy in POLICIES.items():
            await user.policy(**policy)
            await driver.converge()
            await unchanged(what)
        for what, spec in SPECS.items():
            await user.endpoint(endpoint, {**released["endpoint"]["spec"], **spec})
            await driver.converge()
            await unchanged(what)
        assert (await user.condition(endpoint, "Accepted"))["reason"] == "Valid"
        assert (await user.get(LLM_ENDPOINT, endpoint))["status"]["appliedPolicies"], "the policy is in force"


@releases
async def test_the_gate_opens_for_the_user(proxy: Proxy, user: User, released: Released) -> None:
    before = await load(user, released)
    about = {names.ROLLOUT_AT: "2026-11-24T05:00:00Z"}
    await user.endpoint(released["endpoint"]["metadata"]["name"], released["endpoint"]["spec"], annotations=about)
    async with driving(proxy, [user.namespace], collector_image="mirror.example/collector:9") as driver:
        await driver.converge()
    after = await user.get(DEPLOYMENT, before["metadata"]["name"])
    (collector,) = after["spec"]["template"]["spec"]["initContainers"]
    assert collector["image"] == "mirror.example/collector:9"
    assert after["metadata"]["generation"] == before["metadata"]["generation"] + 1
