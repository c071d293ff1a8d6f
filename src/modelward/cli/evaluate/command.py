"""`modelward evaluate`: what an evaluator Job does, and the same by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from modelward.cli.console import fail

NEXT = (
    "Examples: modelward evaluate --evaluator pii.yaml --input exchanges.jsonl --output scores.jsonl, "
    "with {builtin: PII} in pii.yaml | "
    "modelward evaluate --evaluator policy.yaml --evaluator evaluators.yaml --input folder --output scores.jsonl | "
    "modelward evaluate --evaluator topic.yaml --input exchanges.jsonl --output scores.jsonl --labels labels.jsonl "
    "--curve curve.svg | "
    "zstdcat *.zst | modelward evaluate --evaluator pii.yaml --input - --output -"
)
_JOB = "As an evaluator Job"


_Evaluators = Annotated[
    list[Path] | None,
    typer.Option(help="YAML of Evaluators, MonitoringPolicies, or one {builtin, config}. Repeat it for more files."),
]
_Input = Annotated[
    Path | None,
    typer.Option(help="Exchanges, one JSON object a line: a file, a folder of them, or -. Plain or zstd."),
]
_Output = Annotated[
    Path | None, typer.Option(help="Scores, one JSON object a line for each exchange and evaluator; - prints them.")
]
_Labels = Annotated[
    Path | None,
    typer.Option(
        help='Print quality against labels, {"id", "label": "fault" or "ok"} a line, optionally with "group"'
        ' and "evaluator".'
    ),
]
_Curve = Annotated[Path | None, typer.Option(help="Write the reliability curve as SVG, a file for each evaluator.")]
_Endpoint = Annotated[
    list[str] | None,
    typer.Option(help="NAME=URL of an LLMEndpoint that a judge asks, as from kubectl port-forward. Repeat it."),
]
_Plan = Annotated[Path | None, typer.Option(help="A run's plan.json.", rich_help_panel=_JOB)]
_TerminationLog = Annotated[Path, typer.Option(help="Where it leaves its tally.", rich_help_panel=_JOB)]


def evaluate(
    evaluator: _Evaluators = None,
    input: _Input = None,  # noqa: A002
    output: _Output = None,
    labels: _Labels = None,
    curve: _Curve = None,
    endpoint: _Endpoint = None,
    plan: _Plan = None,
    termination_log: _TerminationLog = Path("/dev/termination-log"),
) -> None:
    """Score sampled exchanges: a run's plan against the hub, or files by hand.

    By hand it ends with what the operator would make of the scores. A line that is no exchange is told with its number,
    and the others are scored. With labels it prints how good each evaluator is, and a calibration for its config.

    Exit 0: all were read and judged, 1: a line could not be read or an exchange not be judged, 2: nothing was done.
    """
    if plan is not None:
        raise typer.Exit(_run_job(plan, termination_log))
    if not evaluator or input is None or output is None:
        fail("give --evaluator FILE.yaml --input exchanges.jsonl --output scores.jsonl (or --plan FILE, as a Job does)")
    if curve is not None and labels is None:
        fail("--curve needs --labels: the curve is the share at fault by value")
    from modelward.cli.evaluate.by_hand import HandRun, InputError, evaluate_by_hand
    from modelward.cli.evaluate.endpoints import EndpointError
    from modelward.job.installed import UnknownEvaluatorError
    from modelward.job.minilm import MiniLMUnavailableError

    try:
        code = evaluate_by_hand(HandRun(tuple(evaluator), input, output, labels, curve, tuple(endpoint or ())))
    except (UnknownEvaluatorError, EndpointError, MiniLMUnavailableError, InputError, OSError) as error:
        fail(str(error))
    raise typer.Exit(code)


def _run_job(plan_file: Path, termination_log: Path) -> int:
    """Carry out a run's plan; the hub's certificate stands beside it, the token where kubelet puts it."""
    import asyncio
    import json

    from modelward.api.collector_config import HUB_CA_FILE_NAME
    from modelward.api.run_plan import plan_from_json
    from modelward.cli.logs import configure_logging
    from modelward.hub_client.client import HubClient
    from modelward.job.evaluation import run_plan

    configure_logging("text", "INFO")
    plan = plan_from_json(json.loads(plan_file.read_text()))
    authority = plan_file.parent / HUB_CA_FILE_NAME
    token = Path("/var/run/modelward/token")
    pem = authority.read_text() if authority.exists() else None
    left = termination_log if termination_log.exists() else None

    async def run() -> int:
        async with HubClient(plan.hub_url, pem, lambda: token.read_text().strip()) as client:
            tally = await run_plan(plan, client, left)
        return 1 if tally.failed else 0

    return asyncio.run(run())
