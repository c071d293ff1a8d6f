"""`modelward console`: on a person's own machine, or in the cluster with `--url`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from modelward.cli.console import fail

NEXT = (
    "Examples: modelward console -n retail | in the cluster, as the chart runs it: modelward console"
    " --url https://console.example.com --listen 0.0.0.0:8090 --hub-url https://modelward-hub.modelward-system.svc:8443"
)
_HERE = "On your machine"
_THERE = "In the cluster"
_Namespace = Annotated[
    str,
    typer.Option("--namespace", "-n", help="Whose endpoints; by default the context's.", rich_help_panel=_HERE),
]
_Account = Annotated[
    str,
    typer.Option(
        help="ServiceAccount to look as: modelward-reader sees text, modelward-viewer numbers only.",
        rich_help_panel=_HERE,
    ),
]
_System = Annotated[
    str, typer.Option(envvar="MODELWARD_NAMESPACE", help="Where Modelward is installed.", rich_help_panel=_HERE)
]
_Duration = Annotated[str, typer.Option(help="How long the token lasts, and you are signed in.", rich_help_panel=_HERE)]
_Port = Annotated[int, typer.Option(help="Port on loopback; 0 takes a free one.", rich_help_panel=_HERE)]
_Browser = Annotated[bool, typer.Option(help="Open the browser.", rich_help_panel=_HERE)]
_Kubectl = Annotated[str, typer.Option(help="The kubectl to run.", rich_help_panel=_HERE)]
_Kubeconfig = Annotated[
    str | None, typer.Option(help="Which cluster; by default the current context.", rich_help_panel=_HERE)
]
_Context = Annotated[str | None, typer.Option(help="Which context of it.", rich_help_panel=_HERE)]
_Url = Annotated[str, typer.Option(help="The address that people open; TLS ends before it.", rich_help_panel=_THERE)]
_Listen = Annotated[str, typer.Option(help="Address of the pages.", rich_help_panel=_THERE)]
_HubUrl = Annotated[
    str,
    typer.Option(envvar="MODELWARD_HUB_URL", help="The hub; on your machine only one that takes no tokens."),
]
_HubCa = Annotated[Path | None, typer.Option(help="File with the hub's authority.", rich_help_panel=_THERE)]
_Cluster = Annotated[str, typer.Option(help="Name of the cluster, shown on each page.")]
_Issuer = Annotated[str, typer.Option(help="OpenID Connect issuer.", rich_help_panel=_THERE)]
_Client = Annotated[str, typer.Option(help="Our name as its client.", rich_help_panel=_THERE)]
_Secret = Annotated[Path | None, typer.Option(help="File with the client's secret, if any.", rich_help_panel=_THERE)]
_Scopes = Annotated[str, typer.Option(help="What is asked of the issuer.", rich_help_panel=_THERE)]
_IssuerCa = Annotated[Path | None, typer.Option(help="File with the issuer's authority.", rich_help_panel=_THERE)]
_Pasted = Annotated[bool, typer.Option("--pasted-token", help="Let people paste a token.", rich_help_panel=_THERE)]


def console(
    namespace: _Namespace = "",
    account: _Account = "modelward-reader",
    system_namespace: _System = "modelward-system",
    duration: _Duration = "8h",
    port: _Port = 0,
    browser: _Browser = True,
    kubectl: _Kubectl = "kubectl",
    kubeconfig: _Kubeconfig = None,
    context: _Context = None,
    url: _Url = "",
    listen: _Listen = "0.0.0.0:8090",
    hub_url: _HubUrl = "",
    hub_ca: _HubCa = None,
    cluster: _Cluster = "",
    oidc_issuer: _Issuer = "",
    oidc_client_id: _Client = "",
    oidc_client_secret_file: _Secret = None,
    oidc_scopes: _Scopes = "openid email groups",
    oidc_ca: _IssuerCa = None,
    pasted_token: _Pasted = False,
) -> None:
    """Look at endpoints in a browser: with your own kubectl and a reader's token, or as the chart runs it."""
    import asyncio

    from modelward.cli.console_server.deployed import Deployed, deploy
    from modelward.cli.console_server.kubectl import Kubectl, KubectlError
    from modelward.cli.console_server.loopback import Loopback, look
    from modelward.cli.logs import configure_logging
    from modelward.console.settings import ConsoleSettingsError

    configure_logging("text", "INFO" if url else "WARNING")
    oidc = (oidc_issuer, oidc_client_id, oidc_client_secret_file, oidc_scopes, oidc_ca)
    whose = (Kubectl(kubectl, kubeconfig, context), namespace, account, system_namespace)
    there = Deployed(listen, url, hub_url, hub_ca, cluster, *oidc, pasted_token)
    here = Loopback(*whose, duration, port, browser, hub_url, cluster)
    try:
        asyncio.run(deploy(there) if url else look(here))
    except (KubectlError, ConsoleSettingsError, OSError) as error:
        fail(str(error))
