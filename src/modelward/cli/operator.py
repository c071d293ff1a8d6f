"""`modelward operator`: the process that reconciles."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from modelward.cli.console import fail

NEXT = "Example: modelward operator --kubeconfig ~/.kube/config --namespace modelward-system; then modelward doctor"


def operator(
    settings: Annotated[Path | None, typer.Option(help="YAML file, as the Helm chart mounts it.")] = None,
    kubeconfig: Annotated[str | None, typer.Option(help="Which cluster; by default the one that this runs in.")] = None,
    namespace: Annotated[str | None, typer.Option(help="The operator's own namespace: Lease and hub.")] = None,
    listen: Annotated[str | None, typer.Option(help="Address of /metrics, /healthz and /readyz.")] = None,
) -> None:
    """Run the operator: reconcile LLMEndpoints and MonitoringPolicies until stopped."""
    import asyncio
    import os

    from modelward.cli.logs import configure_logging
    from modelward.operator.runtime import assembly, process
    from modelward.operator.runtime.settings import SettingsError, load

    overrides = {"kubeconfig": kubeconfig, "namespace": namespace, "listen": listen}
    try:
        loaded = load(settings, os.environ, overrides)
    except SettingsError as error:
        fail(str(error))
    configure_logging(loaded.log_format, loaded.log_level)
    raise typer.Exit(asyncio.run(process.run(loaded, assembly.build)))
