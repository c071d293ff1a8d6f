"""`modelward hub`: the process that keeps samples and results."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from modelward.cli.console import fail

NEXT = "Example, to try it out: modelward hub --insecure-no-auth --listen 127.0.0.1:8443 --store file:///tmp/hub"


def hub(
    listen: Annotated[str, typer.Option(help="Address of the API (HTTPS).")] = "0.0.0.0:8443",
    store: Annotated[
        str, typer.Option(help="file:///DIR, s3://BUCKET/PREFIX, gs://…, az://… or memory://")
    ] = "memory://",
    state: Annotated[Path, typer.Option(help="Directory of the hub's own certificates.")] = Path(
        "/var/lib/modelward/hub"
    ),
    health_listen: Annotated[str, typer.Option(help="Address of /metrics, /healthz and /readyz.")] = "0.0.0.0:8081",
    namespace: Annotated[str, typer.Option(help="The hub's own namespace.")] = "modelward-system",
    store_size: Annotated[
        str, typer.Option(help="What all namespaces may store together, such as 5Gi; by default what the disk holds.")
    ] = "",
    namespace_share: Annotated[
        str, typer.Option(help="What one namespace may store, such as 2Gi; by default a tenth of it, at least 1Gi.")
    ] = "",
    insecure_no_auth: Annotated[
        bool, typer.Option("--insecure-no-auth", help="Plain HTTP without tokens, on loopback only: for trying it out.")
    ] = False,
) -> None:
    """Run the hub: sampled exchanges in, windows for evaluators out, results kept."""
    import asyncio
    from functools import partial

    from modelward.hub.errors import HubSettingsError
    from modelward.hub.server import serve
    from modelward.hub.settings import HubSettings, storage_bytes
    from modelward.kube.certificate import publish
    from modelward.operator.runtime.telemetry import configure_logging

    configure_logging("text", "INFO")
    try:
        settings = HubSettings(
            store_url=store,
            listen=listen,
            health_listen=health_listen,
            state_dir=state,
            namespace=namespace,
            auth=not insecure_no_auth,
            store_bytes=storage_bytes(store_size),
            namespace_share_bytes=storage_bytes(namespace_share),
        )
    except HubSettingsError as error:
        fail(str(error))
    # The operator finds the hub's authority in a ConfigMap of the hub's namespace.
    asyncio.run(serve(settings, None if insecure_no_auth else partial(publish, namespace)))
