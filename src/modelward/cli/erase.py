"""`modelward erase`: samples that a person wants gone, by exchange, conversation, endpoint or namespace."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, get_type_hints

import typer

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help=(
        "Erase samples for good: from the hub's store, with their scores and labels, from what collectors still send, "
        "and from examples in results. Counts and verdicts stay; the history goes with a whole namespace alone. Each "
        "erasure is recorded in the hub's audit.\n\n"
        "Only the operator's account may: kubectl exec -it -n modelward-system deploy/modelward -- modelward erase ..."
    ),
    epilog=(
        "Examples: modelward erase exchange retail/chat chatcmpl-123 --by ticket-7 | "
        "modelward erase conversation retail jane@example.com --dry-run | modelward erase namespace retail --yes"
    ),
)

Endpoint = Annotated[str, typer.Argument(metavar="NAMESPACE/NAME", help="The endpoint; it need not exist any more.")]


@dataclass(frozen=True, slots=True)
class ErasureTarget:
    """What a command erases: the hub's words for it, and ours for the exchanges, what goes with them and what stays."""

    target: Mapping[str, str]
    exchanges: str
    also: str = ""
    stays: str = "counts, verdicts and history"

    @property
    def what(self) -> str:
        """All that goes, as a phrase."""
        return f"{self.exchanges}, with scores and labels{self.also}"


@dataclass(frozen=True, slots=True)
class Request:
    """How it is erased; every command has these options, in this order."""

    by: Annotated[
        str, typer.Option(help="Who wants it, or a ticket: for the audit, which else knows the account only.")
    ] = ""
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count.")] = False
    hub_url: Annotated[str | None, typer.Option("--hub-url", envvar="MODELWARD_HUB_URL", help="The hub.")] = None
    kubeconfig: Annotated[str | None, typer.Option(help="Which cluster; by default the one that this runs in.")] = None


def _command(erasure_of: Callable[..., ErasureTarget]) -> Callable[..., None]:
    """Register a function of a command's own arguments; the options of Request come after them."""
    shared = inspect.signature(Request).parameters

    @functools.wraps(erasure_of)
    def run(**given: Any) -> None:
        request = Request(**{name: given.pop(name) for name in shared})
        _run(erasure_of(**given), request)

    own = inspect.signature(erasure_of).parameters
    hints = get_type_hints(erasure_of, include_extras=True) | get_type_hints(Request, include_extras=True)
    every = [one.replace(annotation=hints[one.name]) for one in (*own.values(), *shared.values())]
    run.__signature__ = inspect.Signature(every)  # type: ignore[attr-defined]
    run.__annotations__ = hints
    return app.command()(run)


@_command
def exchange(
    endpoint: Endpoint,
    id: Annotated[str, typer.Argument(help="Its id as `explain` shows it, or as the engine returned it.")],  # noqa: A002
) -> ErasureTarget:
    """Erase one exchange."""
    return ErasureTarget({**_endpoint(endpoint), "exchange": id}, f"one exchange of {endpoint}")


@_command
def conversation(
    scope: Annotated[str, typer.Argument(metavar="NAMESPACE[/NAME]", help="Where: all endpoints of it, or one.")],
    name: Annotated[str, typer.Argument(help="Its id as the client sent it, or its key as a record shows it.")],
) -> ErasureTarget:
    """Erase all turns of one conversation."""
    where = _endpoint(scope) if "/" in scope else {"namespace": scope}
    return ErasureTarget({**where, "conversation": name}, f"one conversation in {scope}")


@_command
def endpoint(endpoint: Endpoint) -> ErasureTarget:
    """Erase all exchanges of one endpoint, with scores and labels; requests from now on are sampled as before."""
    return ErasureTarget(_endpoint(endpoint), f"all exchanges of endpoint {endpoint}")


@_command
def namespace(
    namespace: Annotated[str, typer.Argument(help="The namespace; it need not exist any more.")],
) -> ErasureTarget:
    """Erase the same of all endpoints of one namespace, and its history, calibrations and budgets of judges."""
    also = ", and its history, checks of scopes, calibrations and budgets of judges"
    return ErasureTarget(
        {"namespace": namespace}, f"all exchanges of namespace {namespace}", also, "counts and verdicts"
    )


def _endpoint(text: str) -> dict[str, str]:
    namespace, slash, name = text.partition("/")
    if not (namespace and slash and name):
        raise typer.BadParameter(f"write NAMESPACE/NAME, for example retail/chat, not {text!r}")
    return {"namespace": namespace, "endpoint": name}


def _run(erasure: ErasureTarget, request: Request) -> None:
    from modelward.cli.erasing import EraseError
    from modelward.kube.errors import ApiError

    try:
        asyncio.run(_erase(erasure, request))
    except (EraseError, OSError, ApiError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from error


async def _erase(erasure: ErasureTarget, request: Request) -> None:
    from modelward.cli.erasing import connected, counted, erased

    async with connected(request.hub_url, request.kubeconfig) as hub:
        if request.dry_run or not request.yes:
            typer.echo(f"goes: {erasure.what}: {await counted(hub, erasure.target)} exchanges\nstays: {erasure.stays}")
        if request.dry_run:
            return
        if not request.yes:
            typer.confirm("Erase for good? What collectors still send of it is refused.", abort=True)
        done = await erased(hub, erasure.target, request.by)
    typer.echo(f"erased {erasure.what}: {done.exchanges} exchanges, {done.examples} examples in results")
    if not done.recorded:
        line = "audit record not stored"
        typer.echo(f"warning: the audit could not be stored; keep the line {line!r} of the hub's log", err=True)
