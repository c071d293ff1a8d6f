"""`modelward evaluate`: what an evaluator Job does, and the same by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from modelward.cli.console import fail

NEXT = (
    "Example: modelward evaluate --evaluator pii.yaml --input exchanges.jsonl --output scores.jsonl, "
    "with {builtin: PII} in pii.yaml"
)


def evaluate(
    plan: Annotated[Path | None, typer.Option(help="A run's plan.json; what an evaluator Job does.")] = None,
    evaluator: Annotated[Path | None, typer.Option(help="An Evaluator's YAML, or {builtin, config}.")] = None,
    input: Annotated[Path | None, typer.Option(help="Exchanges, one JSON object a line.")] = None,  # noqa: A002
    output: Annotated[Path | None, typer.Option(help="Scores, one JSON object a line.")] = None,
    termination_log: Annotated[Path, typer.Option(help="Where a Job leaves its tally.")] = Path("/dev/termination-log"),
) -> None:
    """Score sampled exchanges: a run's plan against the hub, or a file by hand."""
    from modelward.job.by_hand import score_file
    from modelward.job.installed import UnknownEvaluatorError
    from modelward.job.minilm import MiniLMUnavailableError

    if plan is not None:
        raise typer.Exit(_run_job(plan, termination_log))
    if evaluator is None or input is None or output is None:
        fail("give --plan FILE, or --evaluator FILE.yaml --input exchanges.jsonl --output scores.jsonl")
    try:
        code = score_file(evaluator, input, output)
    except (UnknownEvaluatorError, MiniLMUnavailableError, OSError) as error:
        fail(str(error))
    raise typer.Exit(code)


def _run_job(plan_file: Path, termination_log: Path) -> int:
    """Carry out a run's plan; the hub's certificate stands beside it, the token where kubelet puts it."""
    import asyncio
    import json

    from modelward.api.collector_config import HUB_CA_FILE_NAME
    from modelward.api.evaluation import plan_from_json
    from modelward.hub_client.client import HubClient
    from modelward.job.evaluation import run_plan
    from modelward.operator.runtime.telemetry import configure_logging

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
