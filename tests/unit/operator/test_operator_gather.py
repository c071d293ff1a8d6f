# ruff: noqa: ARG002 - the signature is the client's
"""What is read from the server alone: whether a namespace allows texts as they are."""

from __future__ import annotations

import pytest
from controller_world import World

from modelward.kube.errors import ApiError, Forbidden
from modelward.kube.kinds import Kind, Object
from modelward.operator.endpoint.gather import Gatherer

API = "modelward.dev/v1alpha1"
_MINUTE_MS = 60_000


class Namespaces(World):
    """Objects, and one namespace that has consented; asking for it fails while there is a `trouble`."""

    trouble: ApiError | None = None

    async def find(self, kind: Kind, namespace: str | None, name: str) -> Object | None:
        if self.trouble is not None:
            raise self.trouble
        return {"metadata": {"name": name, "annotations": {"modelward.dev/allow-raw-payloads": "true"}}}


def _obj(kind: str, name: str, **spec: object) -> Object:
    return {
        "apiVersion": API,
        "kind": kind,
        "metadata": {"name": name, "namespace": "retail", "labels": {}},
        "spec": spec,
    }


@pytest.mark.parametrize(
    ("trouble", "allowed"),
    [(ApiError(503, "ServiceUnavailable", "try later"), True), (Forbidden(403, "Forbidden", "cannot get"), False)],
)
async def test_consent_outlasts_an_answer_that_fails_but_not_a_right_that_went(
    trouble: ApiError, allowed: bool
) -> None:
    world = Namespaces()
    world.put(_obj("LLMEndpoint", "ours", backend={"template": {"image": "llama", "port": 8080}}))
    world.put(_obj("MonitoringPolicy", "all", endpointSelector={}, capture={"content": "Full"}))
    gatherer = Gatherer(world.context)

    async def allow_raw(now_ms: int) -> bool:
        found = await gatherer.gather("retail", "ours", now_ms)
        assert found is not None
        return found.allow_raw

    world.trouble = trouble
    assert not await allow_raw(0), "never assumed"
    world.trouble = None
    assert await allow_raw(1 * _MINUTE_MS)
    world.trouble = trouble
    assert await allow_raw(3 * _MINUTE_MS) is allowed
