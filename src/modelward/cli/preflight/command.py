"""`modelward preflight`: what a file would do to a cluster before it is applied."""

from __future__ import annotations

from typing import Annotated

import typer

from modelward.cli.console import Kubeconfig, Manifests, Output, fail, out

NEXT = "Example: modelward preflight llmendpoint.yaml -n retail; then kubectl apply -n retail -f llmendpoint.yaml"


def preflight(
    file: Manifests,
    namespace: Annotated[str, typer.Option("--namespace", "-n", help="For objects that name none.")] = "default",
    kubeconfig: Kubeconfig = None,
    system_namespace: Annotated[
        str, typer.Option(envvar="MODELWARD_NAMESPACE", help="Where Modelward is installed.")
    ] = "modelward-system",
    output: Output = "text",
) -> None:
    """Show which model servers would restart if a file was applied; write nothing.

    Exit 0: none restarts, 1: some roll, 2: something would be refused.
    """
    import asyncio
    import json
    import sys

    import yaml

    from modelward.cli.preflight.effect import exit_code
    from modelward.cli.preflight.effect_page import document, page
    from modelward.cli.preflight.examine import examined
    from modelward.kube.errors import ApiError

    try:
        documents = list(yaml.safe_load_all(file.read_text()))
        effects = asyncio.run(examined(documents, kubeconfig, namespace, system_namespace))
    except (OSError, yaml.YAMLError, ApiError) as error:
        fail(f"{file}: {error}")
    if not effects:
        fail(f"{file}: nothing of modelward.dev/v1alpha1 in it")
    if output == "json":
        sys.stdout.write(json.dumps(document(effects), indent=2) + "\n")
    else:
        out.print(page(effects))
    raise typer.Exit(exit_code(effects))
