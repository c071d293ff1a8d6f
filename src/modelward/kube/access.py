"""Who we are to the API server: address, TLS and token, read by the official client from a kubeconfig or the pod."""

import asyncio
import os
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from kubernetes.aio.client import Configuration
from kubernetes.aio.config import load_incluster_config, load_kube_config, refresh_token


@dataclass(frozen=True, slots=True)
class Access:
    """Everything a HTTP session needs; safe to share between event loops and threads.

    authorization gives the header of the moment: projected tokens change on disk about every hour.
    """

    host: str
    ssl: ssl.SSLContext | None
    authorization: Callable[[], Awaitable[str | None]]
    server_hostname: str | None = None
    proxy: str | None = None
    refresher: "asyncio.Task[None] | None" = field(default=None, repr=False)

    async def close(self) -> None:
        """End the refreshing of short-lived credentials."""
        if self.refresher is not None:
            self.refresher.cancel()
            await asyncio.gather(self.refresher, return_exceptions=True)


_reading = threading.Lock()
_WAIT_S = 0.01


@asynccontextmanager
async def _alone() -> AsyncIterator[None]:
    """Keep other threads from reading a kubeconfig at the same time.

    The official client writes certificates to files that all threads share, and names a file before it is written.
    The lock is waited for without blocking the loop, because another task of it may be the one that holds it.
    """
    while not _reading.acquire(blocking=False):  # noqa: ASYNC110 - an event of this loop knows no other thread
        await asyncio.sleep(_WAIT_S)
    try:
        yield
    finally:
        _reading.release()


async def load(kubeconfig: str | None = None) -> Access:
    """Access from, in this order: the path given, $KUBECONFIG, the pod's ServiceAccount, ~/.kube/config."""
    async with _alone():
        return await _load(kubeconfig)


async def _load(kubeconfig: str | None) -> Access:
    configuration = Configuration()
    path = kubeconfig or os.environ.get("KUBECONFIG")
    if not path and "KUBERNETES_SERVICE_HOST" in os.environ:
        load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
        return _access(configuration, None)
    loader = await load_kube_config(  # type: ignore[no-untyped-call]
        config_file=_kubeconfig(path), client_configuration=configuration, persist_config=False
    )
    refreshing = refresh_token(loader, configuration)  # type: ignore[no-untyped-call]
    refresher = asyncio.create_task(refreshing, name="refresh credentials")
    return _access(configuration, refresher)


def _kubeconfig(path: str | None) -> str:
    files = path or str(Path.home() / ".kube" / "config")
    if not any(Path(file).is_file() for file in files.split(os.pathsep)):
        raise FileNotFoundError(f"no kubeconfig at {files}; name one with --kubeconfig or KUBECONFIG")
    return files


def _access(configuration: Configuration, refresher: "asyncio.Task[None] | None") -> Access:
    async def authorization() -> str | None:
        token = await configuration.get_api_key_with_prefix("BearerToken")
        return str(token).strip() if token else None

    return Access(
        host=configuration.host.rstrip("/"),
        ssl=_tls(configuration) if configuration.host.startswith("https") else None,
        authorization=authorization,
        server_hostname=configuration.tls_server_name,
        proxy=configuration.proxy,
        refresher=refresher,
    )


def _tls(configuration: Configuration) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=configuration.ssl_ca_cert)
    # Clusters' own authorities often lack the key usage that Python 3.13 demands by default.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if configuration.cert_file:
        context.load_cert_chain(configuration.cert_file, configuration.key_file)
    if not configuration.verify_ssl:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
