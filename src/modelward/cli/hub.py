"""`modelward hub`: the process that keeps samples and results."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modelward.cli.console import fail

if TYPE_CHECKING:
    from modelward.hub.settings import HubSettings

NEXT = "Example, to try it out: modelward hub --insecure-no-auth --listen 127.0.0.1:8443 --store file:///tmp/hub"


_Store = Annotated[str, typer.Option(help="file:///DIR, s3://BUCKET/PREFIX, gs://…, az://… or memory://")]
_State = Annotated[Path, typer.Option(help="Directory of the hub's own certificates.")]
_StoreSize = Annotated[
    str, typer.Option(help="What all namespaces may store together, such as 5Gi; by default what the disk holds.")
]
_NamespaceShare = Annotated[
    str, typer.Option(help="What one namespace may store, such as 2Gi; by default a tenth of it, at least 1Gi.")
]
_NoAuth = Annotated[
    bool, typer.Option("--insecure-no-auth", help="Plain HTTP without tokens, on loopback only: for trying it out.")
]
_GoneKeepFor = Annotated[
    str, typer.Option(help="How long what is kept of a namespace outlives the namespace, 1h to 9600h.")
]
_People = Annotated[str, typer.Option(help="How people log in, as JSON; the chart writes it from its value people.")]
_History = Annotated[bool, typer.Option(help="Keep the history of endpoints.")]
_HistorySize = Annotated[str, typer.Option(help="How large the history may get; by default a quarter of the disk.")]
_HistoryShare = Annotated[str, typer.Option(help="What one namespace may hold of it; by default a tenth.")]
_HistoryKeepFor = Annotated[
    list[str] | None,
    typer.Option(help="NAMESPACE=DURATION, such as retail=720h, to keep it no longer; may repeat."),
]
_HistoryExport = Annotated[
    str, typer.Option(help="URL of an object store to which the history is copied, to be read back when it is lost.")
]
_Prometheus = Annotated[str, typer.Option(help="URL of a Prometheus that answers in the place of the history.")]


def hub(
    listen: Annotated[str, typer.Option(help="Address of the API (HTTPS).")] = "0.0.0.0:8443",
    store: _Store = "memory://",
    state: _State = Path("/var/lib/modelward/hub"),
    health_listen: Annotated[str, typer.Option(help="Address of /metrics, /healthz and /readyz.")] = "0.0.0.0:8081",
    namespace: Annotated[str, typer.Option(help="The hub's own namespace.")] = "modelward-system",
    store_size: _StoreSize = "",
    namespace_share: _NamespaceShare = "",
    gone_namespaces_keep_for: _GoneKeepFor = "168h",
    people: _People = "",
    history: _History = True,
    history_size: _HistorySize = "",
    history_namespace_share: _HistoryShare = "",
    history_keep_for: _HistoryKeepFor = None,
    history_export: _HistoryExport = "",
    history_prometheus_url: _Prometheus = "",
    insecure_no_auth: _NoAuth = False,
) -> None:
    """Run the hub: sampled exchanges in, windows for evaluators out, results kept."""
    from modelward.hub.history.settings import HistorySettings, keep_times
    from modelward.hub.people.settings import people_settings
    from modelward.hub.settings import HubSettings, gone_keep_ms, storage_bytes

    _run(
        lambda: HubSettings(
            store_url=store, listen=listen, health_listen=health_listen, state_dir=state, namespace=namespace,
            auth=not insecure_no_auth, people=people_settings(people),
            gone_keep_ms=gone_keep_ms(gone_namespaces_keep_for),
            store_bytes=storage_bytes(store_size), namespace_share_bytes=storage_bytes(namespace_share),
            history=HistorySettings(
                history, storage_bytes(history_size), storage_bytes(history_namespace_share),
                keep_times(history_keep_for or ()), history_export, history_prometheus_url,
            ),
        )
    )  # fmt: skip


def _run(read: Callable[[], HubSettings]) -> None:
    """Run a hub of the settings that `read` returns, until it is ended; what is wrong with them ends the command."""
    import asyncio
    from functools import partial

    from modelward.cli.logs import configure_logging
    from modelward.hub.errors import HubSettingsError
    from modelward.hub.process import serve
    from modelward.kube.certificate import publish

    configure_logging("text", "INFO")
    try:
        settings = read()
    except HubSettingsError as error:
        fail(str(error))
    # The operator finds the hub's authority in a ConfigMap of the hub's namespace.
    asyncio.run(serve(settings, partial(publish, settings.namespace) if settings.auth else None))
