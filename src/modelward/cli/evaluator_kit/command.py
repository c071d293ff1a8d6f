"""`modelward evaluators init` and `conformance`: evaluators of a team's own."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from modelward.cli.console import fail

INIT_NEXT = "Next: change evaluator.py in the folder, and follow its README.md"
CONFORMANCE_NEXT = (
    "Examples: modelward evaluators conformance server.py | "
    "modelward evaluators conformance registry.example/brand:1 | "
    "modelward evaluators conformance https://brand.example --key-file signing-key"
)


def init(
    name: Annotated[str, typer.Argument(help="Name of the folder and of the Evaluator, such as brand-voice.")],
    folder: Annotated[Path, typer.Option(help="Where the new folder goes.")] = Path(),
) -> None:
    """Write an evaluator that works: a Python server, its Dockerfile, manifest, test and README."""
    from modelward.cli.evaluator_kit.init import InitError
    from modelward.cli.evaluator_kit.init import init as write

    try:
        typer.echo(write(name, folder))
    except (InitError, OSError) as error:
        fail(str(error))


def conformance(
    target: Annotated[
        str,
        typer.Argument(help="An image, the base URL of a service that runs, or a Python file that serves on PORT."),
    ],
    key_file: Annotated[Path | None, typer.Option(help="File with the key that requests are signed with.")] = None,
) -> None:
    """Try whether an evaluator keeps the contract score/v1, and say what is wrong with it.

    An image is run by docker, podman or nerdctl, as restricted as in a pod. Exit 0: it keeps it, 1: it does not, 2: it
    could not be tried.
    """
    from modelward.cli.evaluator_kit.started import StartError, started
    from modelward.job.conformance.suite import conformance as suite

    try:
        key = key_file.read_text(encoding="utf-8").strip() if key_file else ""
        with started(target, key) as service:
            found = asyncio.run(suite(service))
    except (StartError, OSError) as error:
        fail(str(error))
    for one in found:
        typer.echo(f"FAIL  {one.name}: {one.fault}" if one.fault else f"ok    {one.name}")
    broken = sum(bool(one.fault) for one in found)
    typer.echo(f"{broken} of {len(found)} checks failed" if broken else f"{target} keeps score/v1")
    raise typer.Exit(1 if broken else 0)
