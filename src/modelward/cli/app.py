"""The command line: every process of Modelward, and what people run by hand.

Each command imports its packages when it runs, so that `modelward evaluate` needs no kopf and `--help` is quick.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
import yaml
from rich.console import Console

from modelward.cli import erase

app = typer.Typer(
    name="modelward",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="Kubernetes operator for monitored LLM endpoints: health with evidence, evaluator Jobs, scaling by use.",
    epilog="Start with: kubectl apply -f examples/watch-a-deployment.yaml, then kubectl get llmep",
)
app.add_typer(erase.app, name="erase")
_out = Console()
_err = Console(stderr=True)


def main() -> None:
    """Run the command line."""
    app()


@app.command()
def operator(
    settings: Annotated[Path | None, typer.Option(help="YAML file, as the Helm chart mounts it.")] = None,
    kubeconfig: Annotated[str | None, typer.Option(help="Which cluster; by default the one that this runs in.")] = None,
    namespace: Annotated[str | None, typer.Option(help="The operator's own namespace: Lease and hub.")] = None,
    listen: Annotated[str | None, typer.Option(help="Address of /metrics, /healthz and /readyz.")] = None,
) -> None:
    """Run the operator: reconcile LLMEndpoints and MonitoringPolicies until stopped."""
    from modelward.operator.runtime import assembly, process, telemetry
    from modelward.operator.runtime.settings import SettingsError, load

    overrides = {"kubeconfig": kubeconfig, "namespace": namespace, "listen": listen}
    try:
        loaded = load(settings, os.environ, overrides)
    except SettingsError as error:
        _fail(str(error))
    telemetry.configure_logging(loaded.log_format, loaded.log_level)
    raise typer.Exit(asyncio.run(process.run(loaded, assembly.build)))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []})
def collector(context: typer.Context) -> None:
    """Run the collector in front of a model server: --listen HOST:PORT --upstream URL [--config FILE]."""
    from modelward.collector.command import main as run

    raise typer.Exit(run(context.args))


@app.command()
def hub(
    listen: Annotated[str, typer.Option(help="Address of the API (HTTPS).")] = "0.0.0.0:8443",
    store: Annotated[
        str, typer.Option(help="file:///DIR, s3://BUCKET/PREFIX, gs://…, az://… or memory://")
    ] = "memory://",
    state: Annotated[Path, typer.Option(help="Directory of the hub's own certificates.")] = Path(
        "/var/lib/modelward/hub"
    ),
    health_listen: Annotated[str, typer.Option(help="Address of /metrics, /healthz and /readyz.")] = "0.0.0.0:8081",
    namespace: Annotated[str, typer.Option(help="The hub's own namespace.")] = "modelward-system",
    store_size: Annotated[
        str, typer.Option(help="What all namespaces may store together, such as 5Gi; by default what the disk holds.")
    ] = "",
    namespace_share: Annotated[
        str, typer.Option(help="What one namespace may store, such as 2Gi; by default a tenth of it, at least 1Gi.")
    ] = "",
    insecure_no_auth: Annotated[
        bool, typer.Option("--insecure-no-auth", help="Plain HTTP without tokens, on loopback only: for trying it out.")
    ] = False,
) -> None:
    """Run the hub: sampled exchanges in, windows for evaluators out, results kept."""
    from modelward.hub.errors import HubSettingsError
    from modelward.hub.server import serve
    from modelward.hub.settings import HubSettings, storage_bytes
    from modelward.operator.runtime.telemetry import configure_logging

    configure_logging("text", "INFO")
    try:
        settings = HubSettings(
            store_url=store,
            listen=listen,
            health_listen=health_listen,
            state_dir=state,
            namespace=namespace,
            auth=not insecure_no_auth,
            store_bytes=storage_bytes(store_size),
            namespace_share_bytes=storage_bytes(namespace_share),
        )
    except HubSettingsError as error:
        _fail(str(error))
    asyncio.run(serve(settings, None if insecure_no_auth else _publisher(namespace)))


@app.command()
def evaluate(
    plan: Annotated[Path | None, typer.Option(help="A run's plan.json; what an evaluator Job does.")] = None,
    evaluator: Annotated[Path | None, typer.Option(help="An Evaluator's YAML, or {builtin, config}.")] = None,
    input: Annotated[Path | None, typer.Option(help="Exchanges, one JSON object a line.")] = None,  # noqa: A002
    output: Annotated[Path | None, typer.Option(help="Scores, one JSON object a line.")] = None,
    termination_log: Annotated[Path, typer.Option(help="Where a Job leaves its tally.")] = Path("/dev/termination-log"),
) -> None:
    """Score sampled exchanges: a run's plan against the hub, or a file by hand."""
    from modelward.evaluate.evaluators.registry import UnknownEvaluatorError
    from modelward.evaluate.minilm import MiniLMUnavailableError
    from modelward.job.evaluation import score_file

    if plan is not None:
        raise typer.Exit(_run_job(plan, termination_log))
    if evaluator is None or input is None or output is None:
        _fail("give --plan FILE, or --evaluator FILE.yaml --input exchanges.jsonl --output scores.jsonl")
    try:
        code = score_file(evaluator, input, output)
    except (UnknownEvaluatorError, MiniLMUnavailableError, OSError) as error:
        _fail(str(error))
    raise typer.Exit(code)


def _run_job(plan_file: Path, termination_log: Path) -> int:
    """Carry out a run's plan; the hub's certificate stands beside it, the token where kubelet puts it."""
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


@app.command()
def crd(
    check: Annotated[
        bool, typer.Option("--check", help="Only say whether the folder is up to date; exit 1 if not.")
    ] = False,
    output: Annotated[Path, typer.Option(help="Folder of the generated files.")] = Path("crds"),
) -> None:
    """Write the CustomResourceDefinitions that the pydantic models imply."""
    from modelward.api import crd as documents

    if check:
        differences = documents.check(output)
        for line in differences:
            _err.print(line)
        if differences:
            _fail("run `modelward crd` and commit the result")
        return
    for name, text in documents.files().items():
        (output / name).write_text(text, encoding="utf-8")
        _out.print(str(output / name))


@app.command()
def render(
    file: Annotated[Path, typer.Argument(help="YAML with LLMEndpoints, MonitoringPolicies, Evaluators.")],
) -> None:
    """Print what the operator would create for a file, without a cluster."""
    from modelward.cli.rendering import RenderError, rendered

    try:
        documents = rendered(list(yaml.safe_load_all(file.read_text())))
    except (RenderError, OSError, yaml.YAMLError) as error:
        _fail(f"{file}: {error}")
    sys.stdout.write(yaml.safe_dump_all(documents, sort_keys=False))


@app.command()
def explain(
    name: Annotated[str, typer.Argument(help="NAME or NAMESPACE/NAME of an LLMEndpoint.")],
    namespace: Annotated[str, typer.Option("--namespace", "-n")] = "default",
    kubeconfig: Annotated[str | None, typer.Option(help="Which cluster; by default the current context.")] = None,
    hub_url: Annotated[str | None, typer.Option(envvar="MODELWARD_HUB_URL", help="For the texts of examples.")] = None,
) -> None:
    """Tell why an endpoint is as it is: conditions, checks with evidence, examples, scaling decisions."""
    from modelward.cli.explain.inspect import NotFoundError, inspected
    from modelward.kube.errors import ApiError

    if "/" in name:
        namespace, _, name = name.partition("/")
    try:
        _out.print(asyncio.run(inspected(namespace, name, kubeconfig, hub_url)))
    except (NotFoundError, OSError, ApiError) as error:
        _fail(str(error))


@app.command()
def preflight(
    file: Annotated[Path, typer.Argument(help="YAML with LLMEndpoints, MonitoringPolicies, Evaluators.")],
    namespace: Annotated[str, typer.Option("--namespace", "-n", help="For objects that name none.")] = "default",
    kubeconfig: Annotated[str | None, typer.Option(help="Which cluster; by default the current context.")] = None,
    system_namespace: Annotated[
        str, typer.Option(envvar="MODELWARD_NAMESPACE", help="Where Modelward is installed.")
    ] = "modelward-system",
    output: Annotated[str, typer.Option("--output", "-o", help="text or json.")] = "text",
) -> None:
    """Tell which model servers would restart if a file was applied; writes nothing.

    Exit 0: none restarts, 1: some roll, 2: something would be refused.
    """
    from modelward.cli.preflight.effect import exit_code
    from modelward.cli.preflight.effect_page import document, page
    from modelward.cli.preflight.examine import examined
    from modelward.kube.errors import ApiError

    try:
        documents = list(yaml.safe_load_all(file.read_text()))
        effects = asyncio.run(examined(documents, kubeconfig, namespace, system_namespace))
    except (OSError, yaml.YAMLError, ApiError) as error:
        _fail(f"{file}: {error}")
    if not effects:
        _fail(f"{file}: nothing of modelward.dev/v1alpha1 in it")
    if output == "json":
        sys.stdout.write(json.dumps(document(effects), indent=2) + "\n")
    else:
        _out.print(page(effects))
    raise typer.Exit(exit_code(effects))


@app.command()
def doctor(
    namespace: Annotated[
        str, typer.Option("--namespace", "-n", envvar="MODELWARD_NAMESPACE", help="Where Modelward is installed.")
    ] = "modelward-system",
    kubeconfig: Annotated[str | None, typer.Option(help="Which cluster; by default the current context.")] = None,
    output: Annotated[str, typer.Option("--output", "-o", help="text or json.")] = "text",
) -> None:
    """Look an installation over: kinds, operator, rights, hub, collectors, admission, endpoints. Changes nothing.

    Exit 0: nothing to act upon, 1: errors or warnings.
    """
    from modelward.cli.doctor.examine import examined
    from modelward.cli.doctor.remark import exit_code
    from modelward.cli.doctor.remark_page import document, page

    try:
        remarks = asyncio.run(examined(kubeconfig, namespace))
    except OSError as error:
        _fail(str(error))
    if output == "json":
        sys.stdout.write(json.dumps(document(remarks), indent=2) + "\n")
    else:
        _out.print(page(remarks), soft_wrap=True)  # commands must survive copying
    raise typer.Exit(exit_code(remarks))


@app.command()
def images(
    settings: Annotated[Path | None, typer.Option(help="The operator's settings file.")] = None,
    kubeconfig: Annotated[str | None, typer.Option(help="Ask this cluster for the digests that run in it.")] = None,
    namespace: Annotated[
        str, typer.Option("--namespace", "-n", envvar="MODELWARD_NAMESPACE", help="Where Modelward is installed.")
    ] = "modelward-system",
) -> None:
    """List every image that an installation pulls, one a line, by digest where one is known: for air gaps."""
    from modelward.cli.images import images as known_images
    from modelward.operator.runtime.settings import SettingsError

    try:
        found = asyncio.run(known_images(settings, kubeconfig, namespace))
    except (OSError, SettingsError) as error:
        _fail(str(error))
    for reference in found.references:
        _out.print(reference, soft_wrap=True, highlight=False)
    for note in found.notes:
        _err.print(note, soft_wrap=True, highlight=False)
    for image in found.unknown:  # beside the list, so that the list can be piped
        how = f"ask its registry (crane digest {image}), or a cluster that runs it (--kubeconfig FILE)"
        _err.print(f"digest not known: {image}: {how}", soft_wrap=True, highlight=False)


@app.command()
def version() -> None:
    """Print the version."""
    _out.print(package_version("modelward"))


def _publisher(namespace: str) -> Any:
    """Return what makes the hub's authority known to the operator: a ConfigMap in the hub's namespace."""
    from modelward.kube.certificate import publish

    return lambda pem: publish(namespace, pem)


def _fail(message: str) -> NoReturn:
    logging.shutdown()
    _err.print(f"[red]error:[/red] {message}", highlight=False)
    raise typer.Exit(2)
