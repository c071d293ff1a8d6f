"""A namespace with endpoints whose alerts are told: the operator's own delivery over a fake API server."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from fake_api import FakeApi

from modelward.alerts.message import AlertMessage
from modelward.alerts.receiver import Addressee, Answered, Told
from modelward.api.alert_receivers import PlatformReceiver
from modelward.api.alertsilence import AlertSilence
from modelward.api.quantity import timestamp
from modelward.desired.names import ALERT_MANAGER
from modelward.kube.client import Listing
from modelward.kube.errors import Conflict
from modelward.kube.kinds import ALERT_SILENCE, CONFIG_MAP, LLM_ENDPOINT, MONITORING_POLICY, Kind, Object, kind_of
from modelward.operator.alerts.reconcile import AlertReconciler
from modelward.operator.runtime.alert_settings import AlertSettings
from modelward.operator.runtime.installed import Installed

API = "modelward.dev/v1alpha1"
START_MS = 1_795_480_000_000
Row = dict[str, Any]


class CrashError(BaseException):
    """The process ends here."""


class OwnedStatusApi(FakeApi):
    """Keeps apart what each manager applied to an LLMEndpoint's alerts, as server-side apply does."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[tuple[str, str], list[Row]] = {}
        """By endpoint and manager."""
        self.before_write: Callable[[], None] = lambda: None
        self.unseen: dict[str, Object] = {}
        """By endpoint what stands on the server, where this process has not heard of it yet."""

    def changed(self, name: str, by: Callable[[Object], Object] = lambda obj: obj) -> None:
        """Let another process write an endpoint."""
        self.version += 1
        obj = by(copy.deepcopy(self.store.get(LLM_ENDPOINT, "retail", name) or {}))
        self.unseen[name] = {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(self.version)}}
        self.rows[name, ALERT_MANAGER] = obj["status"].get("alerts", [])

    async def find(self, kind: Kind, namespace: str | None, name: str) -> Object | None:
        return self.unseen.pop(name, None) or await super().find(kind, namespace, name)

    async def apply(self, obj: Object, manager: str, **more: Any) -> Object:
        """Hold what is remembered to the version that was read, as an apply with one does."""
        if obj["kind"] == "ConfigMap":
            self.before_write()
            now = self.store.get(CONFIG_MAP, obj["metadata"]["namespace"], obj["metadata"]["name"])
            version = now["metadata"]["resourceVersion"] if now else "1"
            if obj["metadata"]["resourceVersion"] != version:
                raise Conflict(409, "Conflict", "the object has been modified")
        return await super().apply(obj, manager, **more)

    async def delete(self, kind: Kind, namespace: str, name: str, **preconditions: str) -> bool:
        self.before_write()
        self._note("delete", kind.kind, name, preconditions)
        self.gone(kind, namespace, name)
        return True

    def gone(self, kind: Kind, namespace: str, name: str) -> None:
        """Let an object be there no more."""
        self.version += 1
        about = {"namespace": namespace, "name": name, "resourceVersion": str(self.version)}
        self.store.remove(kind, {**(self.store.get(kind, namespace, name) or {}), "metadata": about})
        self.rows = {key: rows for key, rows in self.rows.items() if key[0] != name or kind != LLM_ENDPOINT}

    async def list(self, kind: Kind, namespace: str | None = None, *, label_selector: str | None = None) -> Listing:
        labels = dict(pair.split("=") for pair in (label_selector or "").split(",") if pair)
        return Listing(self.store.list(kind, namespace, labels), str(self.version))

    async def apply_status(self, obj: Object, manager: str) -> Object:
        self.before_write()
        if obj["kind"] != "LLMEndpoint":
            return await super().apply_status(obj, manager)
        name, namespace = obj["metadata"]["name"], obj["metadata"]["namespace"]
        if name in self.unseen and "resourceVersion" in obj["metadata"]:
            raise Conflict(409, "Conflict", "the object has been modified")
        before = self.store.get(kind_of(obj), namespace, name) or {}
        self.rows[name, manager] = obj["status"].get("alerts", [])
        status = before.get("status", {}) if manager == ALERT_MANAGER else obj["status"]
        return self._write("status", {**before, "status": {**status, "alerts": self._merged(name)}})

    def _merged(self, name: str) -> Sequence[Row]:
        found: dict[tuple[str, str], Row] = {}
        for (endpoint, _), rows in self.rows.items():
            for row in rows if endpoint == name else ():
                key = (row["policy"], row["name"])
                found[key] = {**found.get(key, {}), **row}
        return list(found.values())


class StandInPort:
    """Takes messages as a receiver would; `answer` says what becomes of each."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, AlertMessage]] = []
        self.answer: Callable[[AlertMessage], Answered] = lambda _: Told("thread-1")

    async def deliver(self, message: AlertMessage, to: Addressee) -> Answered:
        self.taken.append((to.receiver.name, message))
        return self.answer(message)


class AlertBench:
    """Namespace `retail`; `turn` lets the operator do what is due now, `restart` is another process."""

    def __init__(self, **alerts: Any) -> None:
        self.api, self.port, self.now_ms = OwnedStatusApi(), StandInPort(), START_MS
        self.skew_ms = 0
        """By how much the clock of the machine is wrong; time since a start is not."""
        shared = PlatformReceiver.model_validate({"name": "sre", "webhook": {"url": "https://hooks.example.com/sre"}})
        beat = PlatformReceiver.model_validate({"name": "am", "alertmanager": {"urls": ["https://am.example.com"]}})
        settings = AlertSettings(receivers=(shared, beat), fallback=str(alerts.pop("fallback", "")))
        self.context = replace(
            self.api.context,
            settings=replace(
                self.api.context.settings, alerts=settings, cluster_name="prod", console_url="https://mw.example.com"
            ),
            monotonic=lambda: self.now_ms / 1_000,
        )
        spec = {"receivers": [{"name": "sre", "shared": "sre"}]} | alerts
        self.policy(spec)
        self.restart()

    def policy(self, alerts: Any, name: str = "baseline") -> None:
        """Let a policy ask for these alerts."""
        about = {"name": name, "namespace": "retail", "generation": 1}
        objective = {"name": "errors", "metric": "ErrorRate", "maxRate": "1%"}
        spec = {"endpointSelector": {}, "objectives": [objective], "alerts": alerts}
        self.api.put({"apiVersion": API, "kind": "MonitoringPolicy", "metadata": about, "spec": spec})

    def silence(self, name: str, **spec: Any) -> None:
        """Let there be a silence, made now."""
        about = {"name": name, "namespace": "retail", "creationTimestamp": _time(self.now_ms), "generation": 1}
        self.api.put({"apiVersion": API, "kind": "AlertSilence", "metadata": about, "spec": spec})

    def silence_status(self, name: str) -> AlertSilence:
        """Return a silence as it is shown."""
        return AlertSilence.model_validate(self.api.store.get(ALERT_SILENCE, "retail", name))

    async def shows(self, endpoint: str, *rows: Row, **status: Any) -> None:
        """Let the endpoint's own reconcile write these alerts."""
        about = {"name": endpoint, "namespace": "retail", "uid": f"uid-of-{endpoint}"}
        obj = {"apiVersion": API, "kind": "LLMEndpoint", "metadata": about}
        if self.api.store.get(LLM_ENDPOINT, "retail", endpoint) is None:
            backend = {"external": {"url": "https://api.example.com/v1"}}
            self.api.put({**obj, "spec": {"backend": backend}, "status": {}})
        before = self.api.before_write
        self.api.before_write = lambda: None
        await self.api.apply_status({**obj, "status": {**status, "alerts": [*rows]}}, "modelward")
        self.api.before_write = before

    def row(self, name: str = "Objective/errors", state: str = "Firing", **more: Any) -> Row:
        """Return an alert whose state began now."""
        at = _time(self.now_ms + self.skew_ms)
        return {
            "policy": "baseline", "name": name, "state": state, "since": at, "episode": at, "severity": "Warning",
            "message": f"{name} fails", "verdict": "Failed", "verdictSince": at,
        } | more  # fmt: skip

    def deleted(self, endpoint: str) -> None:
        """Let an endpoint be deleted, and its status with it."""
        self.api.gone(LLM_ENDPOINT, "retail", endpoint)

    def policy_deleted(self, name: str = "baseline") -> None:
        """Let a policy be deleted."""
        self.api.gone(MONITORING_POLICY, "retail", name)

    async def crashing(self, writes: int, work: Awaitable[object]) -> None:
        """Let the process end before the write after so many, while it is at some work, and begin anew."""
        left = [writes]

        def crash() -> None:
            if left[0] == 0:
                raise CrashError
            left[0] -= 1

        self.api.before_write = crash
        with pytest.raises(CrashError):
            await work
        self.api.before_write = lambda: None
        self.restart()

    def restart(self) -> None:
        """Begin anew, with nothing but what the API server holds."""
        self.alerts = AlertReconciler(
            self.context, Installed(self.context), self.port, lambda: self.now_ms + self.skew_ms
        )

    async def turn(self, seconds: float = 0.0) -> float | None:
        """Let time pass, and let the operator do its work until all messages under way were answered."""
        self.now_ms += round(seconds * 1_000)
        again = await self.alerts.reconcile("retail")
        for _ in range(3):
            await asyncio.sleep(0)
        return min(again or 1e9, await self.alerts.reconcile("retail") or 1e9)

    def deliveries(self, endpoint: str, name: str = "Objective/errors") -> dict[str, Row]:
        """Return by receiver what status says of an alert."""
        status = (self.api.store.get(LLM_ENDPOINT, "retail", endpoint) or {}).get("status", {})
        rows = [row for row in status.get("alerts", ()) if row["name"] == name]
        return {one["receiver"]: one for row in rows for one in row.get("deliveries", ())}

    @property
    def told(self) -> list[tuple[str, str, list[str]]]:
        """Who was told, of what kind, of which alerts."""
        return [
            (receiver, one.kind, [f"{fact.endpoint} {fact.name}" for fact in one.alerts])
            for receiver, one in self.port.taken
        ]


def _time(ms: int) -> str:
    return timestamp(ms)
