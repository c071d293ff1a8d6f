"""How the operator is set up: Helm's mounted file, MODELWARD_* of the environment, then flags; one frozen value."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from modelward.api.address import host_and_port
from modelward.api.form import in_words
from modelward.api.quantity import Name, duration_ms
from modelward.desired.installation import PodSettings
from modelward.desired.text_egress import ALLOWED_HOST
from modelward.operator.runtime.alert_settings import AlertsDocument, AlertSettings
from modelward.operator.runtime.policy_rule_settings import PolicyRulesDocument, PolicyRuleSettings

PREFIX = "MODELWARD_"


class SettingsError(ValueError):
    """A setting is missing or wrong; the message names each, and says where it came from."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All of the operator's outside settings; intervals in seconds, watch_namespaces empty for all namespaces."""

    namespace: str
    collector_image: str
    evaluator_image: str
    watch_namespaces: tuple[str, ...] = ()
    allowed_hosts: tuple[str, ...] = ()
    isolate_containers: bool = False
    reader_accounts: bool = True
    policy_rules: PolicyRuleSettings = field(default_factory=PolicyRuleSettings)
    hub_url: str | None = None
    status_interval_s: float = 300.0
    scrape_interval_s: float = 15.0
    sweep_interval_s: float = 45.0
    pod: PodSettings = field(default_factory=PodSettings)
    alerts: AlertSettings = field(default_factory=AlertSettings)
    cluster_name: str = ""
    console_url: str = ""
    lease_name: str = "modelward"
    lease_namespace: str = ""
    listen: str = "0.0.0.0:8080"
    workers: int = 4
    kubeconfig: str | None = None
    log_format: Literal["text", "json"] = "text"
    log_level: str = "INFO"


def load(
    path: Path | None = None,
    environ: Mapping[str, str] | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Settings:
    """Settings from a YAML file (camelCase keys), the environment and overrides (field names), the later winning.

    Raises SettingsError.
    """
    values = _from_file(path) | _from_environment(environ or {})
    values |= {_alias(name): value for name, value in (overrides or {}).items() if value is not None}
    return read(values, str(path or "environment and flags"))


def read(values: Mapping[str, Any], source: str) -> Settings:
    """Settings from a mapping as it stands in the YAML file. Raises SettingsError, which names the source."""
    try:
        document = _Document.model_validate(values)
    except ValidationError as error:
        raise SettingsError(f"settings from {source}: {'; '.join(in_words(error))}") from None
    return _settings(document)


class _Strict(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, frozen=True, extra="forbid")


def _seconds(value: Any) -> Any:
    return duration_ms(value) / 1000 if isinstance(value, str) else value


def _split(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _endpoint(value: str) -> str:
    host_and_port(value)
    return value


_Interval = Annotated[float, BeforeValidator(_seconds), Field(ge=1, le=86_400)]
_ScrapeInterval = Annotated[float, BeforeValidator(_seconds), Field(ge=1, le=25)]
"""Readings older than 30 s count as stale (metrics.window), so a round must come sooner."""
_AllowedHost = Annotated[str, Field(max_length=253, pattern=ALLOWED_HOST)]
_Image = Annotated[str, Field(min_length=1, max_length=512, pattern=r"^[^\s]+$")]


class _PullSecret(_Strict):
    name: Name


class _Pod(_Strict):
    image_pull_secrets: tuple[_PullSecret | Name, ...] = ()
    node_selector: dict[str, str] = {}
    tolerations: tuple[dict[str, Any], ...] = ()
    priority_class_name: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    env: dict[str, str] = {}


class _Document(_Strict):
    namespace: Name
    collector_image: _Image
    evaluator_image: _Image
    watch_namespaces: Annotated[tuple[Name, ...], BeforeValidator(_split)] = ()
    allowed_hosts: Annotated[tuple[_AllowedHost, ...], BeforeValidator(_split)] = ()
    isolate_containers: bool = False
    reader_accounts: bool = True
    policy_rules: PolicyRulesDocument = PolicyRulesDocument()
    hub_url: Annotated[str, Field(pattern=r"^https?://\S+$")] | None = None
    status_interval: _Interval = 300.0
    scrape_interval: _ScrapeInterval = 15.0
    sweep_interval: _Interval = 45.0
    pod_settings: _Pod = _Pod()
    alerts: AlertsDocument = AlertsDocument()
    cluster_name: Annotated[str, Field(max_length=64)] = ""
    console_url: Annotated[str, Field(max_length=512, pattern=r"^(https?://\S+)?$")] = ""
    lease_name: Name = "modelward"
    lease_namespace: Name | None = None
    listen: Annotated[str, AfterValidator(_endpoint)] = "0.0.0.0:8080"
    workers: Annotated[int, Field(ge=1, le=64)] = 4
    kubeconfig: str | None = None
    log_format: Literal["text", "json"] = "text"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"


_BY_FIELD = {"pod": "podSettings"} | {f"{name}_interval_s": f"{name}Interval" for name in ("status", "scrape", "sweep")}


def _alias(name: str) -> str:
    return _BY_FIELD.get(name) or to_camel(name)


def _from_file(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise SettingsError(f"settings from {path}: {error}") from None
    if content is not None and not isinstance(content, dict):
        raise SettingsError(f"settings from {path}: expected a mapping, found {type(content).__name__}")
    return content or {}


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    blocks = ("pod_settings", "alerts")
    names = [name for name, known in _Document.model_fields.items() if name not in blocks and known is not None]
    found = {name: environ.get(PREFIX + name.upper()) for name in names}
    return {to_camel(name): value for name, value in found.items() if value}


def _settings(document: _Document) -> Settings:
    same = {item.name for item in fields(Settings)} & set(_Document.model_fields) - {"alerts", "policy_rules"}
    values = {name: getattr(document, name) for name in same}
    values["lease_namespace"] = document.lease_namespace or document.namespace
    intervals = {f"{name}_interval_s": getattr(document, f"{name}_interval") for name in ("status", "scrape", "sweep")}
    values |= {"alerts": document.alerts.settings, "policy_rules": document.policy_rules.settings()}
    return Settings(**values, **intervals, pod=_pod(document.pod_settings))


def _pod(pod: _Pod) -> PodSettings:
    secrets = tuple(item if isinstance(item, str) else item.name for item in pod.image_pull_secrets)
    values = {name: getattr(pod, name) for name in _Pod.model_fields if name != "image_pull_secrets"}
    return PodSettings(image_pull_secrets=secrets, **values)
