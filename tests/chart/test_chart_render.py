"""What the chart renders is safe to apply for all values that it admits, and it admits no misspelt one."""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from chart_render import CHART, SYSTEM, VALUES, Object, helm, named, of_kind, render, template

from modelward.operator.runtime.settings import load

every = pytest.mark.parametrize("values", VALUES.values(), ids=VALUES.keys())


def pods(objects: list[Object]) -> list[Object]:
    return [item["spec"]["template"] for item in of_kind(objects, "Deployment", "StatefulSet")]


def settings_text(objects: list[Object]) -> str:
    return str(named(objects, "ConfigMap", "modelward-settings")["data"]["settings.yaml"])


@every
def test_helm_lint_has_nothing_to_say(values: Mapping[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump(dict(values)))
    command = [helm(), "lint", "--strict", str(CHART), "--values", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


@every
def test_every_pod_is_restricted(values: Mapping[str, Any]) -> None:
    for pod in pods(render(values)):
        spec = pod["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec)
        for container in spec["containers"] + spec.get("initContainers", []):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert {"livenessProbe", "readinessProbe"} <= set(container)
            assert container["resources"]["limits"]["memory"]
        for volume in spec["volumes"]:
            assert set(volume) - {"name"} <= {"configMap", "emptyDir", "projected", "secret"}, "nothing of the node"


@every
def test_names_do_not_depend_on_luck(values: Mapping[str, Any]) -> None:
    objects = render(values)
    keys = [(item["kind"], item["metadata"].get("namespace"), item["metadata"]["name"]) for item in objects]
    assert len(keys) == len(set(keys))
    for item in objects:
        labels = item["metadata"]["labels"]
        assert labels["app.kubernetes.io/name"] == "modelward"
        assert labels["app.kubernetes.io/managed-by"] == "Helm", "managed-by modelward marks what the operator made"


@every
def test_selectors_find_their_pods(values: Mapping[str, Any]) -> None:
    objects = render(values)
    for item in of_kind(objects, "Deployment", "StatefulSet"):
        wanted = item["spec"]["selector"]["matchLabels"].items()
        assert wanted <= item["spec"]["template"]["metadata"]["labels"].items()
    for service in of_kind(objects, "Service"):
        assert any(service["spec"]["selector"].items() <= pod["metadata"]["labels"].items() for pod in pods(objects))


@every
def test_the_operator_reads_its_settings(values: Mapping[str, Any], tmp_path: Path) -> None:
    objects = render(values)
    file = tmp_path / "settings.yaml"
    file.write_text(settings_text(objects))
    settings = load(file)
    assert settings.namespace == settings.lease_namespace == SYSTEM
    assert list(settings.watch_namespaces) == values.get("watchNamespaces", [])
    has_hub = values.get("hub", {}).get("enabled", True)
    assert settings.hub_url == ("https://modelward-hub.modelward-system.svc:8443" if has_hub else None)
    operator = named(objects, "Deployment", "modelward")["spec"]["template"]
    (container,) = operator["spec"]["containers"]
    mount = next(mount for mount in container["volumeMounts"] if mount["name"] == "settings")
    assert container["args"] == ["operator", "--settings", f"{mount['mountPath']}/settings.yaml"]


def test_settings_carry_what_lands_in_namespaces_of_users(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(settings_text(render(VALUES["digests, placement"])))
    settings = load(file)
    assert settings.pod.image_pull_secrets == ("registry",)
    assert settings.pod.node_selector == {"pool": "gpu"}
    assert settings.pod.env == {"HTTPS_PROXY": "http://proxy:3128"}
    assert (settings.status_interval_s, settings.scrape_interval_s) == (10, 5)
    assert (settings.log_format, settings.log_level) == ("json", "DEBUG")
    assert settings.collector_image.startswith("mirror.example/collector@sha256:")
    assert settings.evaluator_image.startswith("ghcr.io/modelward/modelward@sha256:")


def test_a_change_of_settings_rolls_the_operator_and_nothing_else_does() -> None:
    def checksum(values: Mapping[str, Any]) -> str:
        operator = named(render(values), "Deployment", "modelward")
        return str(operator["spec"]["template"]["metadata"]["annotations"]["checksum/settings"])

    assert checksum({}) == checksum({"networkPolicy": {"enabled": True}})
    assert checksum({}) != checksum({"scrapeInterval": "20s"})


def test_images_are_pinned_by_digest_when_given() -> None:
    images = [c["image"] for pod in pods(render(VALUES["digests, placement"])) for c in pod["spec"]["containers"]]
    assert len(images) == 2
    assert all("@sha256:" in image for image in images)


def test_a_namespaces_share_of_the_hub_is_as_it_was_told() -> None:
    shared = named(render({"hub": {"namespaceShare": "2Gi"}}), "StatefulSet", "modelward-hub")
    (container,) = shared["spec"]["template"]["spec"]["containers"]
    assert container["args"][-2:] == ["--namespace-share", "2Gi"]


def test_the_history_is_as_it_was_told() -> None:
    def arguments(values: Mapping[str, Any], kind: str = "StatefulSet") -> list[str]:
        (container,) = named(render(values), kind, "modelward-hub")["spec"]["template"]["spec"]["containers"]
        return list(container["args"])

    assert not any("history" in argument for argument in arguments({}))
    assert arguments({"history": {"enabled": False}})[-1] == "--no-history"
    told = {"size": "5Gi", "namespaceShare": "1Gi", "namespaceKeepFor": {"retail": "720h"}}
    told["exportUrl"] = "s3://bucket/history"
    assert arguments({"history": {**told, "prometheus": {"url": "http://prometheus:9090"}}})[-10:] == [
        *("--history-size", "5Gi", "--history-namespace-share", "1Gi", "--history-keep-for", "retail=720h"),
        *("--history-export", "s3://bucket/history", "--history-prometheus-url", "http://prometheus:9090"),
    ]


def test_what_is_gone_is_kept_as_long_as_it_was_told() -> None:
    for values, told in (({}, "168h"), ({"hub": {"goneNamespacesKeepFor": "240h"}}, "240h")):
        (container,) = named(render(values), "StatefulSet", "modelward-hub")["spec"]["template"]["spec"]["containers"]
        assert container["args"][container["args"].index("--gone-namespaces-keep-for") + 1] == told


def test_the_hub_keeps_its_samples_where_it_was_told() -> None:
    volume = named(render({}), "StatefulSet", "modelward-hub")["spec"]
    assert volume["volumeClaimTemplates"][0]["spec"]["resources"]["requests"]["storage"] == "20Gi"

    ephemeral = named(render(VALUES["ephemeral hub"]), "Deployment", "modelward-hub")
    assert "lost" in ephemeral["metadata"]["annotations"]["modelward.dev/store"]
    assert ephemeral["spec"]["strategy"] == {"type": "Recreate"}

    (container,) = ephemeral["spec"]["template"]["spec"]["containers"]
    assert container["args"][-2:] == ["--store-size", "5Gi"], "beyond it the pod is evicted"

    store = named(render(VALUES["object store"]), "Deployment", "modelward-hub")["spec"]["template"]["spec"]
    (container,) = store["containers"]
    assert "s3://samples/modelward" in container["args"]
    assert container["envFrom"] == [{"secretRef": {"name": "s3"}}]
    assert not of_kind(render(VALUES["no hub"]), "StatefulSet", "Service")


def test_one_replica_does_not_block_a_node_drain() -> None:
    assert of_kind(render({}), "PodDisruptionBudget")
    assert not of_kind(render(VALUES["ephemeral hub"]), "PodDisruptionBudget")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"replicas": 3}, "replicas"),
        ({"hub": {"stor": "volume"}}, "stor"),
        ({"hub": {"store": "disk"}}, "store"),
        ({"hub": {"store": "objectStore"}}, "hub.objectStore.url"),
        ({"statusInterval": "5 minutes"}, "statusInterval"),
        ({"image": {"digest": "abc"}}, "digest"),
        ({"watchNamespaces": ["Retail"]}, "watchNamespaces"),
        ({"podSecurityContext": {"privileged": True}}, "privileged"),
        ({"operator": {"resources": {"limit": {}}}}, "limit"),
    ],
)
def test_a_wrong_value_is_refused_by_name(values: Mapping[str, Any], said: str) -> None:
    done = template(values)
    assert done.returncode != 0
    assert said in done.stderr


def test_every_object_of_the_schema_is_strict() -> None:
    schema = yaml.safe_load((CHART / "values.schema.json").read_text())
    open_on_purpose = {"global", "affinity", "seLinuxOptions"}

    def walk(node: Any, name: str) -> None:
        if not isinstance(node, dict):
            return
        if node.get("type") == "object" and name not in open_on_purpose:
            assert "additionalProperties" in node, name
        for key, value in {**node.get("properties", {}), **node.get("definitions", {})}.items():
            walk(value, key)
        walk(node.get("items"), name)

    walk(schema, "values")
    defaults = yaml.safe_load((CHART / "values.yaml").read_text())
    assert set(schema["properties"]) - {"global"} == set(defaults)


@every
def test_by_default_it_needs_nothing_that_kubernetes_does_not_have(values: Mapping[str, Any]) -> None:
    """What is of others' definitions comes only where it is asked for; there are no hooks and no webhooks."""
    for item in render({**values, "monitoring": {}}):
        group = item["apiVersion"].rpartition("/")[0]
        assert group in ("", "apps", "policy") or group.endswith(".k8s.io"), item["kind"]
        assert "Webhook" not in item["kind"]
        assert "helm.sh/hook" not in item["metadata"].get("annotations", {})
