"""`modelward alerts`: send a test message by the road that real ones take, or print one without sending."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from modelward.cli.console import Kubeconfig, SystemNamespace, fail

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Try receivers of alerts, and print what they would get.",
    epilog=(
        "Examples: modelward alerts test oncall | modelward alerts test team --policy retail/baseline | "
        "modelward alerts render team --file policy.yaml --kind Resolved"
    ),
)

_Receiver = Annotated[str, typer.Argument(help="Its name: of Helm's alerts.receivers, or of the policy.")]
_Policy = Annotated[str, typer.Option(metavar="NAMESPACE/NAME", help="The MonitoringPolicy that has the receiver.")]
_File = Annotated[Path | None, typer.Option(help="YAML with the receiver: MonitoringPolicies, or values of the chart.")]
_Secrets = Annotated[
    Path | None, typer.Option(help="With --file: a folder for each Secret, a file for each key, to send from here.")
]
_Kind = Annotated[str, typer.Option(help="Firing, Raised, Repeated, Flapping, Resolved, Closed or Test.")]


@app.command("test")
def try_receiver(
    receiver: _Receiver,
    policy: _Policy = "",
    file: _File = None,
    secrets: _Secrets = None,
    namespace: SystemNamespace = "modelward-system",
    kubeconfig: Kubeconfig = None,
) -> None:
    """Send a test message, and say what arrived or what to mend.

    A receiver of the platform is tried in the operator's pod (kubectl exec), a team's own by a Job in its namespace
    that your rights create. With --file and --secrets it is sent from here.

    Exit 0: it arrived, 1: it did not, 2: nothing was sent.
    """

    from modelward.cli.alerts.roads import RoadError, from_file, in_cluster
    from modelward.kube.errors import ApiError

    try:
        tried = from_file(file, receiver, secrets) if file else in_cluster(receiver, policy, namespace, kubeconfig)
    except (RoadError, ApiError, OSError) as error:
        fail(str(error))
    if tried.text:
        print(tried.text)
    raise typer.Exit(tried.code)


@app.command()
def render(receiver: _Receiver, file: _File, kind: _Kind = "Firing") -> None:
    """Print the requests that a receiver of a file would get, with the places of secrets; send nothing."""
    import sys

    from modelward.cli.alerts.rendering import requests_page
    from modelward.cli.alerts.written import WrittenError, receiver_in

    if file is None:
        fail("give --file FILE.yaml: MonitoringPolicies, or values of the chart")
    try:
        sys.stdout.write(requests_page(receiver_in(file, receiver).receiver, kind))
    except (WrittenError, OSError) as error:
        fail(str(error))
