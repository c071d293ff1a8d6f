"""The CRDs travel in three places and are one."""

import subprocess
from pathlib import Path
from typing import Any

import yaml
from chart_render import CHART, REPOSITORY, Object, documents, helm, of_kind, render

CRDS = REPOSITORY / "crds"


def bare(crd: Object) -> dict[str, Any]:
    """The CRD without what only says how it came into a cluster."""
    metadata = {key: crd["metadata"][key] for key in ("name",)}
    return {**crd, "metadata": metadata}


def generated() -> list[dict[str, Any]]:
    return [bare(yaml.safe_load(path.read_text())) for path in sorted(CRDS.glob("*.yaml"))]


def test_the_chart_holds_the_generated_crds() -> None:
    copies = {path.name: path.read_bytes() for path in (CHART / "files" / "crds").glob("*.yaml")}
    originals = {path.name: path.read_bytes() for path in CRDS.glob("*.yaml")}
    assert copies == originals, "run helm/sync-crds"
    assert len(copies) == 5


def test_rendering_changes_nothing_in_them() -> None:
    crds = of_kind(render({}), "CustomResourceDefinition")
    assert [bare(crd) for crd in crds] == generated()


def test_they_survive_an_uninstall_unless_told_otherwise() -> None:
    def policies(**crds: bool) -> list[str | None]:
        found = of_kind(render({"crds": crds}), "CustomResourceDefinition")
        return [crd["metadata"].get("annotations", {}).get("helm.sh/resource-policy") for crd in found]

    assert policies() == ["keep"] * 5
    assert policies(keep=False) == [None] * 5
    assert policies(install=False) == []


def test_the_plain_manifest_is_what_the_chart_renders(monkeypatch: Any) -> None:
    monkeypatch.setenv("MODELWARD_HELM", helm())
    script = REPOSITORY / "manifests" / "render"
    done = subprocess.run([str(script), "-"], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == (REPOSITORY / "manifests" / "install.yaml").read_text(), "run manifests/render"


def test_the_plain_manifest_brings_a_restricted_namespace_and_does_not_speak_of_helm() -> None:
    objects = [*documents(Path(REPOSITORY / "manifests" / "install.yaml").read_text())]
    assert objects[0]["kind"] == "Namespace"
    assert objects[0]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert {(o["kind"], o["metadata"]["name"]) for o in objects[1:]} == {
        (o["kind"], o["metadata"]["name"]) for o in render({})
    }
    for item in objects:
        assert "Helm" not in str(item["metadata"])
