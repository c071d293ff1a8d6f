"""What all commands share: where they print, how they fail, and the options that several of them have."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

out = Console()
err = Console(stderr=True)

Kubeconfig = Annotated[str | None, typer.Option(help="Which cluster; by default the current context.")]
SystemNamespace = Annotated[
    str, typer.Option("--namespace", "-n", envvar="MODELWARD_NAMESPACE", help="Where Modelward is installed.")
]
Output = Annotated[str, typer.Option("--output", "-o", help="text or json.")]
Manifests = Annotated[Path, typer.Argument(help="YAML with LLMEndpoints, MonitoringPolicies, Evaluators.")]


def fail(message: str) -> NoReturn:
    """Say what is wrong in one line on standard error, and end with exit code 2."""
    logging.shutdown()
    err.print(f"[red]error:[/red] {message}", highlight=False)
    raise typer.Exit(2)
