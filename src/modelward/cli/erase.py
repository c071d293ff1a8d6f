"""`modelward erase`: samples that a person wants gone, by exchange, conversation, endpoint or namespace."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated

import typer

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help=(
        "Erase samples for good: from the hub's store, from what collectors still send, and from examples in results. "
        "Counts and verdicts stay. Each erasure is recorded in the hub's audit.\n\n"
        "Only the operator's account may: kubectl exec -it -n modelward-system deploy/modelward -- modelward erase ..."
    ),
    epilog=(
        "Examples: modelward erase exchange retail/chat chatcmpl-123 --by ticket-7 | "
        "modelward erase conversation retail jane@example.com --dry-run | modelward erase namespace retail --yes"
    ),
)

Endpoint = Annotated[str, typer.Argument(metavar="NAMESPACE/NAME", help="The endpoint; it need not exist any more.")]
Url = Annotated[str | None, typer.Option("--hub-url", envvar="MODELWARD_HUB_URL", help="The hub.")]
Config = Annotated[str | None, typer.Option(help="Which cluster; by default the one that this runs in.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Dry = Annotated[bool, typer.Option("--dry-run", help="Only count.")]
By = Annotated[str, typer.Option(help="Who wants it, or a ticket: for the audit, which else knows the account only.")]


@app.command()
def exchange(
    endpoint: Endpoint,
    id: Annotated[str, typer.Argument(help="Its id as `explain` shows it, or as the engine answered it.")],  # noqa: A002
    by: By = "",
    yes: Yes = False,
    dry_run: Dry = False,
    hub_url: Url = None,
    kubeconfig: Config = None,
) -> None:
    """Erase one exchange."""
    target = {**_endpoint(endpoint), "exchange": id}
    _run(target, f"one exchange of {endpoint}", by, yes, dry_run, hub_url, kubeconfig)


@app.command()
def conversation(
    scope: Annotated[str, typer.Argument(metavar="NAMESPACE[/NAME]", help="Where: all endpoints of it, or one.")],
    name: Annotated[str, typer.Argument(help="Its id as the client sent it, or its key as a record shows it.")],
    by: By = "",
    yes: Yes = False,
    dry_run: Dry = False,
    hub_url: Url = None,
    kubeconfig: Config = None,
) -> None:
    """Erase all turns of one conversation."""
    where = _endpoint(scope) if "/" in scope else {"namespace": scope}
    _run({**where, "conversation": name}, f"one conversation in {scope}", by, yes, dry_run, hub_url, kubeconfig)


@app.command()
def endpoint(
    endpoint: Endpoint,
    by: By = "",
    yes: Yes = False,
    dry_run: Dry = False,
    hub_url: Url = None,
    kubeconfig: Config = None,
) -> None:
    """Erase everything that is kept of one endpoint; what it is asked from now on is sampled as before."""
    _run(_endpoint(endpoint), f"everything of endpoint {endpoint}", by, yes, dry_run, hub_url, kubeconfig)


@app.command()
def namespace(
    namespace: Annotated[str, typer.Argument(help="The namespace; it need not exist any more.")],
    by: By = "",
    yes: Yes = False,
    dry_run: Dry = False,
    hub_url: Url = None,
    kubeconfig: Config = None,
) -> None:
    """Erase everything that is kept of all endpoints of one namespace."""
    _run({"namespace": namespace}, f"everything of namespace {namespace}", by, yes, dry_run, hub_url, kubeconfig)


def _endpoint(text: str) -> dict[str, str]:
    namespace, slash, name = text.partition("/")
    if not (namespace and slash and name):
        raise typer.BadParameter(f"write NAMESPACE/NAME, for example retail/chat, not {text!r}")
    return {"namespace": namespace, "endpoint": name}


def _run(
    target: Mapping[str, str],
    what: str,
    by: str,
    yes: bool,
    dry_run: bool,
    hub_url: str | None,
    kubeconfig: str | None,
) -> None:
    from modelward.cli.erasing import EraseError
    from modelward.kube.errors import ApiError

    try:
        asyncio.run(_erase(target, what, by, hub_url, kubeconfig, ask=not yes, dry_run=dry_run))
    except (EraseError, OSError, ApiError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from error


async def _erase(
    target: Mapping[str, str],
    what: str,
    by: str,
    hub_url: str | None,
    kubeconfig: str | None,
    *,
    ask: bool,
    dry_run: bool,
) -> None:
    from modelward.cli.erasing import connected, counted, erased

    async with connected(hub_url, kubeconfig) as hub:
        if dry_run or ask:
            typer.echo(f"{what}: {await counted(hub, target)} exchanges are kept")
        if dry_run:
            return
        if ask:
            typer.confirm("Erase them for good? Records that come later are refused too.", abort=True)
        done = await erased(hub, target, by)
    typer.echo(f"erased {what}: {done.exchanges} exchanges, {done.examples} examples in results")
    if not done.recorded:
        line = "audit record not stored"
        typer.echo(f"warning: the audit could not be stored; keep the line {line!r} of the hub's log", err=True)
