"""`modelward notify`: what a Job does that tells a team of its alerts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from modelward.cli.console import fail

NEXT = "A Job runs it in a team's namespace; by hand: modelward notify --plan plan.json --secrets ./secrets"

_Plan = Annotated[Path, typer.Option(help="Messages and their receivers: plan.json of the Job's ConfigMap.")]
_Secrets = Annotated[Path, typer.Option(help="Where Secrets are mounted: a folder for each, a file for each key.")]
_TerminationLog = Annotated[Path, typer.Option(help="Where it leaves word on each message.")]


def notify(
    plan: _Plan,
    secrets: _Secrets = Path("/etc/modelward/secrets"),
    termination_log: _TerminationLog = Path("/dev/termination-log"),
) -> None:
    """Send alert messages to the receivers of a namespace.

    Exit 0: there is word on each message, whether it was told or not; 2: the plan cannot be read.
    """
    import asyncio
    import json

    from modelward.api.notify_plan import notify_plan_from_json, outcomes_to_text
    from modelward.cli.logs import configure_logging
    from modelward.job.delivery.courier import courier
    from modelward.job.notify import NotifyRun

    configure_logging("text", "INFO")
    try:
        found = notify_plan_from_json(json.loads(plan.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        fail(f"{plan}: {error}")
    run = NotifyRun(
        courier(found.allowed_hosts, secrets), lambda outcomes: _leave(termination_log, outcomes_to_text(outcomes))
    )
    asyncio.run(run.run(found))


def _leave(file: Path, text: str) -> None:
    file.write_text(text, encoding="ascii")
