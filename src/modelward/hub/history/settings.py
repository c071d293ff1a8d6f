"""How a hub is to keep history, and where: from its settings to a place with bounds."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from modelward.api.quantity import duration_ms
from modelward.hub.errors import HubSettingsError
from modelward.hub.history.place import HistoryPlace
from modelward.hub.history.prometheus import PrometheusHistory
from modelward.hub.history.retention import MIB, HistoryBounds

FOLDER, FILE = "history", "history.db"
_CLOUD_BYTES = 512 * MIB
"""With an object store what is here is an index, in the pod's own small volume."""
_MEMORY_BYTES = 64 * MIB
_PART_OF_DISK, _PART_OF_NAMESPACE = 4, 10


@dataclass(frozen=True, slots=True)
class HistorySettings:
    """Whether there is a history, how large it may get, and whether Prometheus answers in its place.

    `keep_ms` are namespaces that keep it for a shorter time. `export_url` is an object store to
    which it is copied; that of the hub itself where it has one.
    """

    enabled: bool = True
    total_bytes: int | None = None
    """None: a quarter of the store's disk."""
    namespace_bytes: int | None = None
    """None: a tenth of all."""
    keep_ms: Mapping[str, int] = field(default_factory=dict)
    export_url: str = ""
    prometheus_url: str = ""

    @property
    def prometheus(self) -> PrometheusHistory | None:
        """The Prometheus that answers, where there is one."""
        return PrometheusHistory(self.prometheus_url) if self.prometheus_url else None


def keep_times(texts: Iterable[str]) -> dict[str, int]:
    """Read NAMESPACE=DURATION texts to milliseconds by namespace; HubSettingsError for what is none."""
    found = {}
    for text in texts:
        namespace, _, duration = text.partition("=")
        try:
            found[namespace] = duration_ms(duration)
        except ValueError as error:
            raise HubSettingsError(f"not a namespace and how long it keeps its history: {text!r}: {error}") from None
    return found


def place_of(
    settings: HistorySettings, store_url: str, state_dir: Path, store_bytes: int | None
) -> HistoryPlace | None:
    """Return where the history lies: on the store's own disk, beside the hub's state, or in memory; None for none."""
    if not settings.enabled:
        return None
    url = urlsplit(store_url)
    path: Path | None = None
    if url.scheme == "file":
        path = Path(url.path) / FOLDER / FILE
        most = (store_bytes or _disk(Path(url.path))) // _PART_OF_DISK
    elif url.scheme == "memory":
        most = _MEMORY_BYTES
    else:
        path, most = state_dir / FOLDER / FILE, _CLOUD_BYTES
    total = settings.total_bytes or most
    own = settings.namespace_bytes or max(total // _PART_OF_NAMESPACE, min(total, MIB))
    return HistoryPlace(path, HistoryBounds(total, own, settings.keep_ms))


def _disk(path: Path) -> int:
    path.mkdir(parents=True, exist_ok=True)
    return shutil.disk_usage(path).total
