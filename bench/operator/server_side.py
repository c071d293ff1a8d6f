"""The API server's side: what was asked of it, by its audit log, and what it uses."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pinned_operator import used

BENCH = "bench"
"""Field manager of the bench's own writes, which distinguishes them from the operator's."""
READS = frozenset({"get", "list"})


@dataclass(frozen=True, slots=True)
class Request:
    """One request that was answered; times are Unix seconds."""

    verb: str
    kind: str
    place: str
    received_s: float
    answered_s: float
    code: int
    by_bench: bool

    @property
    def reads(self) -> bool:
        """Whether it reads once; a watch is no request of its own."""
        return self.verb in READS

    @property
    def writes(self) -> bool:
        """Whether it writes."""
        return self.verb not in READS and self.verb != "watch"


@dataclass(slots=True)
class ApiServer:
    """The audit log, read on from where it was read to, and the processes."""

    state: Path
    _read_to: int = 0
    _rest: bytes = b""
    lost: int = field(default=0)

    def requests(self) -> list[Request]:
        """Return what our clients asked since the last call."""
        log = self.state / "logs" / "audit.log"
        if log.stat().st_size < self._read_to:
            self._read_to, self._rest, self.lost = 0, b"", self.lost + 1  # it was rotated
        with log.open("rb") as file:
            file.seek(self._read_to)
            text = self._rest + file.read()
            self._read_to = file.tell()
        whole, _, self._rest = text.rpartition(b"\n")
        return list(_ours(whole.splitlines()))

    def cpu_s(self) -> dict[str, float]:
        """Return the CPU seconds that each program of the control plane has used."""
        found = {}
        for noted in (self.state / "run").glob("*.json"):
            found[noted.stem] = used(int(json.loads(noted.read_text())["pid"])).cpu_s
        return found


def _ours(lines: Iterable[bytes]) -> Iterable[Request]:
    for line in lines:
        if b'"userAgent":"modelward' in line:
            yield _request(json.loads(line))


def _request(event: dict[str, Any]) -> Request:
    about = event.get("objectRef", {})
    return Request(
        event["verb"],
        "/".join(filter(None, (about.get("resource"), about.get("subresource")))),
        f"{about.get('namespace', '')}/{about.get('name', '')}",
        _seconds(event["requestReceivedTimestamp"]),
        _seconds(event["stageTimestamp"]),
        int(event.get("responseStatus", {}).get("code", 0)),
        f"fieldManager={BENCH}" in event["requestURI"],
    )


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
