"""Whoever mirrors images for an air gap gets all of them, by digest where one is known, and is told where none is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web

from modelward.cli.image_list import images, listed

CONFIGURED = ("ghcr.io/modelward/collector:2", "registry:5000/modelward:2")
ONE, OTHER = "sha256:" + "1" * 64, "sha256:" + "2" * 64


def pod(*containers: tuple[str, str, str], init: bool = False) -> dict[str, Any]:
    """Return a pod of containers (name, image, imageID)."""
    prefix = "initC" if init else "c"
    spec = [{"name": name, "image": image} for name, image, _ in containers]
    states = [{"name": name, "imageID": identity} for name, _, identity in containers]
    kinds = {"containers": [], f"{prefix}ontainers": spec}
    return {"metadata": {}, "spec": kinds, "status": {f"{prefix}ontainerStatuses": states}}


def test_without_a_cluster_all_images_are_listed_and_no_digest_is_known() -> None:
    found = listed(CONFIGURED, ())
    assert found.references == found.unknown == CONFIGURED


def test_what_runs_gives_the_digest_also_of_a_collector_in_an_adopted_pod() -> None:
    adopted = pod(("modelward-collector", CONFIGURED[0], f"ghcr.io/modelward/collector@{ONE}"), init=True)
    found = listed(CONFIGURED, [adopted])
    assert found.references == (f"{CONFIGURED[0]}@{ONE}", CONFIGURED[1])
    assert found.unknown == (CONFIGURED[1],)


def test_a_collector_of_an_earlier_release_is_listed_beside_the_configured_one() -> None:
    old = pod(("modelward-collector", "old/collector:1", f"docker-pullable://old/collector@{OTHER}"))
    found = listed(CONFIGURED, [old])
    assert f"old/collector:1@{OTHER}" in found.references
    assert set(CONFIGURED) <= set(found.references)


def test_an_image_that_nodes_know_by_two_digests_is_listed_by_both() -> None:
    pods = [pod(("hub", CONFIGURED[1], f"registry:5000/modelward@{digest}")) for digest in (ONE, OTHER)]
    found = listed(CONFIGURED[1:], pods)
    assert found.references == (f"{CONFIGURED[1]}@{ONE}", f"{CONFIGURED[1]}@{OTHER}")
    assert found.unknown == ()


def test_an_identity_that_no_registry_knows_is_no_digest() -> None:
    local = pod(("modelward-collector", CONFIGURED[0], ONE))
    assert listed(CONFIGURED[:1], [local]).unknown == CONFIGURED[:1]


def test_a_configured_digest_is_known_and_a_model_servers_image_is_not_ours() -> None:
    pinned = f"mirror/collector@{ONE}"
    found = listed([pinned], [pod(("model", "vllm/vllm:1", f"vllm/vllm@{OTHER}"))])
    assert (found.references, found.unknown) == ((pinned,), ())


NOWHERE = "/nowhere/kubeconfig"


@pytest.fixture
def no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    """No context is current."""
    monkeypatch.setenv("KUBECONFIG", NOWHERE)


@pytest.fixture
async def context(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[str]:
    """The current context leads to a cluster where one of our pods runs; yields its address."""

    async def answer(request: web.Request) -> web.Response:
        if request.path == "/api/v1/pods":
            collector = pod(("modelward-collector", "old/collector:1", f"old/collector@{OTHER}"))
            return web.json_response({"metadata": {"resourceVersion": "1"}, "items": [collector]})
        return web.json_response({"kind": "Status", "message": "nothing here", "code": 404}, status=404)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host = f"http://127.0.0.1:{runner.addresses[0][1]}"
    kubeconfig = {
        "current-context": "here",
        "clusters": [
            {"name": "here", "cluster": {"server": host}},
            {"name": "there", "cluster": {"server": "http://x"}},
        ],
        "users": [{"name": "me", "user": {"token": "t"}}],
        "contexts": [
            {"name": "there", "context": {"cluster": "there", "user": "me"}},
            {"name": "here", "context": {"cluster": "here", "user": "me"}},
        ],
    }
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump(kubeconfig))
    monkeypatch.setenv("KUBECONFIG", str(file))
    yield host
    await runner.cleanup()


async def test_the_cluster_of_the_current_context_is_asked_as_by_every_other_command(context: str) -> None:
    found = await images(None, None, "n")
    assert f"old/collector:1@{OTHER}" in found.references, context
    assert any("images of this release are listed" in note for note in found.notes)


@pytest.mark.usefixtures("no_cluster")
async def test_where_no_context_is_current_the_releases_images_are_listed_and_that_is_said() -> None:
    found = await images(None, None, "n")
    assert found.references == found.unknown
    why = f"no kubeconfig at {NOWHERE}; name one with --kubeconfig or KUBECONFIG"
    assert found.notes == (f"no cluster was read for what runs in it: {why}",)


@pytest.mark.usefixtures("no_cluster")
async def test_a_settings_file_counts_for_more_than_the_releases_own_images(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text("{namespace: n, collectorImage: mirror/collector:2, evaluatorImage: mirror/modelward:2}")
    found = await images(file, None, "n")
    assert found.references == ("mirror/collector:2", "mirror/modelward:2")


async def test_a_kubeconfig_that_is_not_there_is_an_error_of_its_own_words() -> None:
    with pytest.raises(FileNotFoundError, match="no kubeconfig at /nowhere"):
        await images(None, "/nowhere", "n")
