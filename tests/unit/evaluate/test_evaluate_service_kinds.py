"""Evaluators of score/v1 as data: what they add to a pod, what makes another version, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from modelward.api.evaluator import EvaluatorSpec
from modelward.desired.evaluators import EvaluatorBlock, ResolvedEvaluator, block_of
from modelward.desired.finding import Finding
from modelward.desired.pod_additions import NOTHING, Egress, SecretKey, added
from modelward.job.installed import catalogue

IMAGE = {"image": "registry.example/brand@sha256:1"}
WEBHOOK = {"url": "https://judge.example/brand", "secretRef": {"name": "modelward-brand"}}
POD: dict[str, Any] = {"containers": [{"name": "evaluate", "env": [], "volumeMounts": []}], "volumes": []}


def resolved(kind: str, **config: Any) -> ResolvedEvaluator:
    found = catalogue().resolve(EvaluatorBlock(kind, "brand", config))
    assert isinstance(found, ResolvedEvaluator)
    return found


def pod(**config: Any) -> dict[str, Any]:
    return added(POD, resolved("container", **{**IMAGE, **config}).pod)


def test_a_container_is_a_native_sidecar_that_starts_by_its_manifest_and_holds_no_token() -> None:
    (sidecar,) = pod(env=[{"name": "TONE", "value": "calm"}], args=["--fast"], imagePullPolicy="Always")[
        "initContainers"
    ]
    assert sidecar["restartPolicy"] == "Always"
    assert sidecar["startupProbe"]["httpGet"] == {"path": "/v1/manifest", "port": 18090}
    assert (sidecar["image"], sidecar["imagePullPolicy"]) == ("registry.example/brand@sha256:1", "Always")
    assert (sidecar["args"], sidecar["env"]) == (["--fast"], [{"name": "TONE", "value": "calm"}])
    assert [mount["mountPath"] for mount in sidecar["volumeMounts"]] == ["/tmp"]  # the pod's own
    security = sidecar["securityContext"]
    assert (security["runAsNonRoot"], security["readOnlyRootFilesystem"]) == (True, True)
    assert security["capabilities"] == {"drop": ["ALL"]}


@pytest.mark.parametrize(
    ("written", "requests", "limits"),
    [
        (None, {"cpu": "100m", "memory": "256Mi"}, {"memory": "512Mi"}),
        ({"requests": {"memory": "2Gi"}}, {"cpu": "100m", "memory": "2Gi"}, {"memory": "2Gi"}),
        ({"limits": {"memory": "128Mi"}}, {"cpu": "100m"}, {"memory": "128Mi"}),
        ({"limits": {"cpu": 1}}, {"memory": "256Mi"}, {"cpu": "1", "memory": "512Mi"}),
        ({"limits": {"gpu": 1}}, {"cpu": "100m", "memory": "256Mi"}, {"gpu": "1", "memory": "512Mi"}),
    ],
)
def test_its_resources_always_bound_memory_and_ask_for_no_more_than_their_limit(
    written: Any, requests: dict[str, str], limits: dict[str, str]
) -> None:
    (sidecar,) = pod(**({"resources": written} if written else {}))["initContainers"]
    assert sidecar["resources"] == {"requests": requests, "limits": limits}


def test_a_container_is_asked_in_its_pod_alone_and_two_of_one_image_are_one() -> None:
    one, other = (resolved("container", **IMAGE, config={"tone": tone}).pod for tone in ("calm", "loud"))
    assert one == other == one | other
    assert one.egress == (Egress("127.0.0.1", 18090),)
    assert one.secrets == ()
    assert one != resolved("container", image="registry.example/brand@sha256:2").pod


def test_a_webhook_gets_its_key_and_its_address() -> None:
    found = resolved("webhook", **WEBHOOK).pod
    assert found.secrets == (SecretKey("modelward-brand", "signing-key"),)
    assert (found.egress, found.containers) == ((Egress("judge.example", 443),), ())
    assert found != NOTHING


@pytest.mark.parametrize(
    ("kind", "config", "change"),
    [
        ("container", IMAGE, {"resources": {"limits": {"memory": "1Gi"}}}),
        ("container", IMAGE, {"imagePullPolicy": "Never"}),
        ("container", IMAGE, {"args": []}),
        ("webhook", WEBHOOK, {"secretRef": {"name": "modelward-other", "key": "k"}}),
    ],
)
def test_what_changes_no_score_is_no_other_version(kind: str, config: Any, change: Any) -> None:
    assert resolved(kind, **config).facts.version == resolved(kind, **{**config, **change}).facts.version


@pytest.mark.parametrize(
    ("kind", "config", "change"),
    [
        ("container", IMAGE, {"image": "registry.example/brand@sha256:2"}),
        ("container", IMAGE, {"args": ["--fast"]}),
        ("container", IMAGE, {"env": [{"name": "TONE", "value": "calm"}]}),
        ("container", IMAGE, {"sends": "MetadataOnly"}),
        ("webhook", WEBHOOK, {"url": "https://judge.example/other"}),
        ("webhook", WEBHOOK, {"labels": ["off-brand"]}),
    ],
)
def test_what_may_change_a_score_is_another_version(kind: str, config: Any, change: Any) -> None:
    assert resolved(kind, **config).facts.version != resolved(kind, **{**config, **change}).facts.version


def test_what_is_sent_is_what_must_have_been_captured() -> None:
    assert resolved("container", **IMAGE).needs == "Redacted"
    assert resolved("webhook", **WEBHOOK, sends="MetadataOnly").needs == "MetadataOnly"


def test_a_misspelt_field_is_named() -> None:
    found = catalogue().resolve(EvaluatorBlock("webhook", "brand", {**WEBHOOK, "sendz": "Redacted"}))
    assert isinstance(found, Finding)
    assert "webhook.sendz" in found.message


def test_a_webhook_outside_the_cluster_needs_the_installation_s_consent() -> None:
    block = EvaluatorBlock("webhook", "brand", WEBHOOK)
    refused = catalogue().within(()).resolve(block)
    assert isinstance(refused, Finding)
    assert refused.reason == "EgressNotAllowed"
    assert "judge.example" in refused.message
    assert "egress.allowedHosts" in refused.message
    assert isinstance(catalogue().within(("judge.example",)).resolve(block), ResolvedEvaluator)
    inside = EvaluatorBlock("webhook", "brand", {**WEBHOOK, "url": "http://brand.retail.svc:8080"})
    assert isinstance(catalogue().within(()).resolve(inside), ResolvedEvaluator)


def test_a_spec_names_one_kind() -> None:
    spec = EvaluatorSpec.model_validate({"container": IMAGE})
    block = block_of(spec, "brand")
    assert (block.kind, block.name, block.config["image"]) == ("container", "brand", IMAGE["image"])
    for wrong in ({}, {"container": IMAGE, "builtin": "PII"}, {"container": IMAGE, "webhook": WEBHOOK}):
        with pytest.raises(ValidationError, match="set exactly one of"):
            EvaluatorSpec.model_validate(wrong)
