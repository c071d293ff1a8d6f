"""Settings come from a file, the environment and flags, and what is wrong is named."""

from pathlib import Path

import pytest

from modelward.operator.runtime.settings import SettingsError, load

FILE = """
namespace: modelward-system
collectorImage: registry.example/collector:1
evaluatorImage: registry.example/modelward:1
watchNamespaces: [retail, bank]
statusInterval: 5m
scrapeInterval: 500ms
allowedHosts: [api.example.com, "*.example.org"]
podSettings:
  imagePullSecrets: [{name: pull}, other]
  nodeSelector: {pool: gpu}
  tolerations: [{key: gpu, operator: Exists}]
  env: {HTTPS_PROXY: "http://proxy:3128"}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "settings.yaml"
    path.write_text(FILE.replace("500ms", "10s"))
    return path


def test_settings_of_the_file_have_defaults(file: Path) -> None:
    settings = load(file)
    assert settings.watch_namespaces == ("retail", "bank")
    assert (settings.status_interval_s, settings.scrape_interval_s, settings.sweep_interval_s) == (300.0, 10.0, 45.0)
    assert settings.allowed_hosts == ("api.example.com", "*.example.org")
    assert settings.pod.image_pull_secrets == ("pull", "other")
    assert settings.pod.node_selector == {"pool": "gpu"}
    assert settings.pod.env == {"HTTPS_PROXY": "http://proxy:3128"}
    assert (settings.lease_name, settings.lease_namespace) == ("modelward", "modelward-system")


def test_settings_of_the_environment_win_over_the_file_and_flags_over_both(file: Path) -> None:
    environ = {"MODELWARD_WATCH_NAMESPACES": "shop, web", "MODELWARD_WORKERS": "8", "MODELWARD_STATUS_INTERVAL": "1m"}
    settings = load(file, environ, {"status_interval_s": 2.0, "listen": None, "kubeconfig": "k"})
    assert settings.watch_namespaces == ("shop", "web")
    assert settings.workers == 8
    assert settings.status_interval_s == 2.0
    assert settings.kubeconfig == "k"
    assert settings.listen == "0.0.0.0:8080"


def test_settings_may_come_from_flags_alone() -> None:
    settings = load(overrides={"namespace": "a", "collector_image": "c", "evaluator_image": "e"})
    assert settings.watch_namespaces == ()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("statusInterval: 5m", "statusInterval: five"), "statusInterval: .*800ms"),
        (("[api.example.com,", '["https://api.example.com",'), "allowedHosts"),
        (("statusInterval: 5m", "statusIntervall: 5m"), "statusIntervall: Extra inputs"),
        (("collectorImage: registry.example/collector:1", ""), "collectorImage: Field required"),
        (("pool: gpu", "pool: [gpu]"), "podSettings.nodeSelector.pool"),
        (("scrapeInterval: 10s", "listen: nowhere"), "listen: .*ADDRESS:PORT"),
        (("scrapeInterval: 10s", "scrapeInterval: 500ms"), "scrapeInterval: .*greater than or equal to 1"),
        (("namespace: modelward-system", "namespace: Not_A_Name"), "namespace: "),
        ((FILE, "- a\n"), "expected a mapping, found list"),
        ((FILE, "a: [\n"), "settings from .*settings.yaml"),
    ],
)
def test_settings_that_are_wrong_are_named(file: Path, change: tuple[str, str], message: str) -> None:
    text = FILE.replace("500ms", "10s")
    file.write_text(text.replace(*change) if change[0] in text else change[1])
    with pytest.raises(SettingsError, match=message):
        load(file)


def test_settings_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"absent\.yaml"):
        load(tmp_path / "absent.yaml")


RECEIVER = "{name: oncall, teams: {webhookUrlFrom: {secretRef: {name: modelward-alerts, key: teams}}}}"


def test_settings_of_alerts_are_the_platforms_receivers(file: Path) -> None:
    file.write_text(file.read_text() + f"alerts: {{receivers: [{RECEIVER}], fallback: oncall, allowedHosts: []}}\n")
    found = load(file).alerts
    assert [*found.by_name] == ["oncall"]
    assert (found.fallback, found.allowed_hosts) == ("oncall", ())


@pytest.mark.parametrize(
    ("alerts", "message"),
    [
        (f"{{receivers: [{RECEIVER}, {RECEIVER}]}}", "two receivers are called oncall"),
        ("{receivers: [{name: oncall}]}", "receiver oncall: set exactly one of alertmanager, email"),
        ("{receivers: [{name: oncall, shared: other}]}", "set exactly one of"),
        (f"{{receivers: [{RECEIVER}], fallback: other}}", "fallback names no receiver of this list: other"),
        ("{allowedHosts: ['https://example.com']}", "alerts.allowedHosts"),
        ("{allowedHost: []}", "alerts.allowedHost: Extra inputs"),
    ],
)
def test_settings_of_alerts_that_are_wrong_are_named(file: Path, alerts: str, message: str) -> None:
    file.write_text(file.read_text() + f"alerts: {alerts}\n")
    with pytest.raises(SettingsError, match=message):
        load(file)
