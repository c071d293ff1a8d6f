"""The command line: every process of Modelward, and what people run by hand.

Each command has a file or folder of its own and imports its packages when it runs, so that `modelward evaluate` needs
no kopf and `--help` is quick.
"""

from __future__ import annotations

import typer

from modelward.cli import (
    collector,
    crd,
    erase,
    evaluators,
    hub,
    images,
    notify,
    operator,
    plugin,
    render,
    scope_check,
    version,
)
from modelward.cli.alerts import command as alerts
from modelward.cli.console_server import command as console_server
from modelward.cli.doctor import command as doctor
from modelward.cli.evaluate import command as evaluate
from modelward.cli.evaluator_kit import command as evaluator_kit
from modelward.cli.explain import command as explain
from modelward.cli.preflight import command as preflight

app = typer.Typer(
    name="modelward",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="Kubernetes operator for monitored LLM endpoints: health with evidence, evaluator Jobs, scaling by use.",
    epilog="Start with: kubectl apply -f examples/watch-a-deployment.yaml, then kubectl get llmep",
)


def main() -> None:
    """Run the command line."""
    app()


app.command(epilog=operator.NEXT)(operator.operator)
app.command(context_settings=collector.CONTEXT)(collector.collector)
app.command(epilog=hub.NEXT)(hub.hub)
app.command(epilog=console_server.NEXT)(console_server.console)
app.command(epilog=evaluate.NEXT)(evaluate.evaluate)
app.command(epilog=notify.NEXT)(notify.notify)
app.command(epilog=crd.NEXT)(crd.crd)
app.command(epilog=render.NEXT)(render.render)
app.command(epilog=explain.NEXT)(explain.explain)
app.command(epilog=preflight.NEXT)(preflight.preflight)
app.command(epilog=doctor.NEXT)(doctor.doctor)
app.command(epilog=images.NEXT)(images.images)
app.command(epilog=plugin.NEXT)(plugin.plugin)
app.command()(version.version)
app.add_typer(erase.app, name="erase")
evaluators.app.command(epilog=scope_check.NEXT)(scope_check.check)
evaluators.app.command(epilog=evaluator_kit.INIT_NEXT)(evaluator_kit.init)
evaluators.app.command(epilog=evaluator_kit.CONFORMANCE_NEXT)(evaluator_kit.conformance)
app.add_typer(alerts.app, name="alerts")
app.add_typer(evaluators.app, name="evaluators")
app.add_typer(evaluators.app, name="evaluator", hidden=True)
