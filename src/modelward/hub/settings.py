"""How a hub is started."""

from __future__ import annotations

import asyncio
import ipaddress
import re
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from modelward.api.address import host_and_port
from modelward.api.quantity import duration_ms
from modelward.hub.errors import HubSettingsError
from modelward.hub.history.place import HistoryPlace
from modelward.hub.history.settings import HistorySettings, place_of
from modelward.hub.people.settings import PeopleSettings

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


@dataclass(frozen=True, slots=True)
class ApiServer:
    """Where the cluster's signing keys are fetched, and with what the hub shows who it is."""

    url: str = "https://kubernetes.default.svc"
    token_file: Path | None = SERVICE_ACCOUNT / "token"
    ca_file: Path | None = SERVICE_ACCOUNT / "ca.crt"

    async def headers(self) -> dict[str, str]:
        """Return by what the hub shows who it is; read again each time, because the kubelet rotates the token."""
        if self.token_file is None:
            return {}
        token = await asyncio.to_thread(self.token_file.read_text)
        return {"Authorization": f"Bearer {token.strip()}"}

    def tls(self) -> ssl.SSLContext | bool:
        """Return whom the hub believes to be the API server."""
        if not self.url.startswith("https:"):
            return True
        return ssl.create_default_context(cafile=str(self.ca_file) if self.ca_file else None)


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what one sender can make the hub do; bytes unless the name says else."""

    body_bytes: int = 8 << 20
    decompressed_bytes: int = 16 << 20
    batch_lines: int = 2_000
    line_bytes: int = 1 << 20
    buffer_bytes: int = 64 << 20
    flush_bytes: int = 1 << 20
    flush_interval_s: float = 1.0
    window_bytes: int = 64 << 20
    window_exchanges: int = 10_000
    parallel_ingests: int = 4
    parallel_reads: int = 2
    result_bytes: int = 64 << 10
    unruled_endpoints: int = 10
    """Endpoints of a namespace without a rule of which metadata is kept: a rule may come after the first record."""
    connections: int = 500
    """A TLS connection costs about 0.3 MB."""
    requests_of_namespace: int = 125
    request_bytes: int = 128 << 20
    """Bodies that are being read and windows that are being sent, in all; a quarter for one namespace."""
    head_s: float = 20.0
    """For TLS apart, the time until a connection's next request must be there whole but for its body."""
    body_s: float = 30.0
    send_s: float = 60.0


@dataclass(frozen=True, slots=True)
class HubSettings:
    """One hub: where it listens, what it stores on, and whom it believes.

    Without `auth` it speaks plain HTTP and believes everybody, hence on loopback only (SettingsError otherwise).
    `namespace` is the hub's own: the operator's account lives there.
    """

    store_url: str
    listen: str = "0.0.0.0:8443"
    health_listen: str = "0.0.0.0:8081"
    state_dir: Path = Path("/var/lib/modelward/hub")
    namespace: str = "modelward-system"
    operator_account: str = "modelward"
    evaluator_account: str = "modelward-evaluate"
    audience: str = "modelward-hub"
    auth: bool = True
    store_bytes: int | None = None
    """How much all namespaces may store together; None: as much as the disk holds, or what pays for the cloud."""
    namespace_share_bytes: int | None = None
    """How much one namespace may store; None: a tenth of the store, at least 1 GiB."""
    gone_keep_ms: int = 168 * 3_600_000
    """How long what is kept of a namespace outlives the namespace."""
    history: HistorySettings = field(default_factory=HistorySettings)
    api_server: ApiServer = field(default_factory=ApiServer)
    people: PeopleSettings = field(default_factory=PeopleSettings)
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        if not self.auth and not _is_loopback(address(self.listen)[0]):
            raise HubSettingsError(f"without authentication the hub listens on loopback only, not on {self.listen}")

    @property
    def shown_store(self) -> str:
        """The store's URL without what may be a credential in it."""
        return self.store_url.partition("?")[0].rpartition("@")[2]

    @property
    def history_place(self) -> HistoryPlace | None:
        """Where the history lies and how large it may get; None for none."""
        return place_of(self.history, self.store_url, self.state_dir, self.store_bytes)

    @property
    def history_export_url(self) -> str:
        """Where the history is copied to: beside the samples in an object store, whose pod has no volume."""
        own = "" if urlsplit(self.store_url).scheme in ("file", "memory") else self.store_url
        return self.history.export_url or own

    @property
    def exchange_bytes(self) -> int | None:
        """How much of `store_bytes` the history leaves."""
        place = self.history_place
        if self.store_bytes is None or place is None or urlsplit(self.store_url).scheme != "file":
            return self.store_bytes
        return max(1, self.store_bytes - place.bounds.total_bytes)


def address(listen: str) -> tuple[str, int]:
    """Split HOST:PORT; HubSettingsError when it is not one."""
    try:
        return host_and_port(listen)
    except ValueError as error:
        raise HubSettingsError(str(error)) from None


def storage_bytes(text: str) -> int | None:
    """Return the bytes of a Kubernetes quantity such as 20Gi or 1.5T; None for nothing. SettingsError for others."""
    if not text:
        return None
    match = re.fullmatch(r"(\d{1,18}(?:\.\d{1,3})?)([kMGTP]|[KMGTP]i)?", text)
    if match is None or float(match[1]) <= 0:
        raise HubSettingsError(f"not a size: {text!r}; write it like 20Gi")
    unit = match[2] or ""
    power = "kMGTP".find(unit[:1].replace("K", "k")) + 1 if unit else 0
    return int(float(match[1]) * (1_024 if unit.endswith("i") else 1_000) ** power)


def gone_keep_ms(text: str) -> int:
    """Return the milliseconds of a duration from 1 hour to 400 days; HubSettingsError for others."""
    try:
        found = duration_ms(text)
    except ValueError as error:
        raise HubSettingsError(str(error)) from None
    if not 3_600_000 <= found <= 400 * 86_400_000:
        raise HubSettingsError(f"what is gone is kept for 1h to 9600h, not for {text}")
    return found


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
