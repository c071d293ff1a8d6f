"""Keeps in Modelward's own namespace what receivers believe to fire: it outlasts endpoints, policies and namespaces.

A team can neither read nor change it there: else it could end alerts of others at the platform's receivers.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from modelward.alerts.ledger import AlertLedger
from modelward.alerts.ledger_text import ledger_from, text_of
from modelward.desired import names
from modelward.kube.errors import ApiError, Conflict, Forbidden, Invalid, NamespaceEnding, NotFound
from modelward.kube.kinds import CONFIG_MAP, Object
from modelward.operator.runtime.context import Context
from modelward.operator.runtime.work_queue import Lane, WorkKey

log = logging.getLogger(__name__)

KEY = "told.json"
LABELS = {names.APP_NAME: "modelward", names.COMPONENT: "told"}
_ABSENT = "1"
"""The version of etcd when it is empty: applied with it an object is made, or there is one and it is a Conflict."""
_SMALL_BYTES, _BYTES_PER_S = 50_000, 100_000
"""How much is written for one namespace at any time, and how much over time: a large ledger is written less often."""


@dataclass(frozen=True, slots=True)
class _Written:
    """What the API server has."""

    ledger: AlertLedger = field(default_factory=AlertLedger)
    version: str = _ABSENT
    size: int = 0
    at_s: float = float("-inf")


@dataclass(slots=True)
class ToldLedger:
    """One ConfigMap for each namespace of which a receiver believes something to fire; only who leads writes it."""

    context: Context
    _now: dict[str, AlertLedger] = field(default_factory=dict)
    _written: dict[str, _Written] = field(default_factory=dict)

    async def load(self, namespace: str) -> None:
        """Read what an earlier leader left; once in the life of a process."""
        if namespace not in self._written:
            await self._read(namespace)

    def now(self, namespace: str) -> AlertLedger:
        """Return what is known, which may be newer than what is written."""
        return self._now.get(namespace, AlertLedger())

    def known(self, namespace: str, ledger: AlertLedger) -> None:
        """Take in what statuses say; it is written with what is noted next."""
        self._now[namespace] = ledger

    def wait_s(self, namespace: str, ledger: AlertLedger) -> float:
        """Return how long a write of this must wait; 0 where it may go, or nothing is to be written."""
        written = self._written.get(namespace, _Written())
        if ledger == written.ledger or written.size <= _SMALL_BYTES:
            return 0.0
        return max(0.0, written.at_s + written.size / _BYTES_PER_S - self.context.monotonic())

    async def write(self, namespace: str, ledger: AlertLedger, *, last: bool = False) -> bool:
        """Write what differs; False where another leader wrote meanwhile, whose word then is what is known.

        `last` says that the namespace has no endpoints: what is empty then goes. Where we lack the right it is known to
        this process alone, and said so.
        """
        written = self._written.get(namespace, _Written())
        if ledger != written.ledger:
            try:
                await self._apply(namespace, ledger, written)
            except Conflict:
                await self._read(namespace)
                return False
            except (Forbidden, Invalid, NotFound, NamespaceEnding) as error:
                log.warning("alerts=not_remembered namespace=%s error=%r", namespace, error.message[:200])
        self._now[namespace] = ledger
        if last and not ledger.rows:
            await self._drop(namespace)
        return True

    async def wake(self) -> None:
        """Ask for the namespaces of which something is written: of one that is gone nothing else speaks."""
        for namespace in self.context.settings.watch_namespaces or await self._listed():
            self.context.enqueue(WorkKey("alerts", namespace, ""), Lane.STATUS)

    async def _listed(self) -> tuple[str, ...]:
        own = self.context.settings.namespace
        selector = ",".join(f"{label}={value}" for label, value in LABELS.items())
        found = await self.context.client.list(CONFIG_MAP, own, label_selector=selector)
        told = (str(one["metadata"]["name"]) for one in found.items)
        return tuple(name.removeprefix(names.TOLD) for name in told if name.startswith(names.TOLD))

    async def _read(self, namespace: str) -> None:
        name = names.told(namespace)
        try:
            found = await self.context.client.find(CONFIG_MAP, self.context.settings.namespace, name)
        except Forbidden as error:
            log.warning("alerts=not_recalled namespace=%s error=%r", namespace, error.message[:200])
            found = None
        if found is None:  # what this process knows, it knows still
            self._written[namespace] = _Written()
            return
        text = str((found.get("data") or {}).get(KEY, ""))
        ledger = _parsed(namespace, text)
        self._now[namespace] = ledger
        self._written[namespace] = _Written(ledger, _version(found), len(text))

    async def _apply(self, namespace: str, ledger: AlertLedger, written: _Written) -> None:
        text, dropped = text_of(ledger)
        if dropped:
            log.warning("alerts=too_many_to_remember namespace=%s left_out=%d", namespace, dropped)
        about = {"name": names.told(namespace), "namespace": self.context.settings.namespace, "labels": LABELS}
        obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {**about, "resourceVersion": written.version}}
        made = await self.context.client.apply({**obj, "data": {KEY: text}}, names.ALERT_MANAGER)
        at_s = self.context.monotonic()
        self._written[namespace] = _Written(ledger, _version(made), len(text), at_s)

    async def _drop(self, namespace: str) -> None:
        written = self._written.pop(namespace, _Written())
        self._now.pop(namespace, None)
        if written.version == _ABSENT:
            return
        about = (self.context.settings.namespace, names.told(namespace))
        try:
            await self.context.client.delete(CONFIG_MAP, *about, resource_version=written.version)
        except ApiError as error:
            log.info("alerts=not_dropped namespace=%s error=%r", namespace, error.message[:200])


def _parsed(namespace: str, text: str) -> AlertLedger:
    try:
        return ledger_from(text) if text else AlertLedger()
    except ValueError as error:
        log.warning("alerts=not_recalled namespace=%s error=%r", namespace, str(error)[:200])
        return AlertLedger()


def _version(obj: Object) -> str:
    return str(obj["metadata"].get("resourceVersion", _ABSENT))
