"""`modelward explain`: why an endpoint is as it is."""

from __future__ import annotations

from typing import Annotated

import typer

from modelward.cli.console import Kubeconfig, fail, out

NEXT = (
    "Example: modelward explain retail/chat; with the texts of examples: "
    "kubectl exec -n modelward-system deploy/modelward -- modelward explain retail/chat"
)


def explain(
    name: Annotated[str, typer.Argument(help="NAME or NAMESPACE/NAME of an LLMEndpoint.")],
    namespace: Annotated[str, typer.Option("--namespace", "-n", help="Of an endpoint given as NAME.")] = "default",
    kubeconfig: Kubeconfig = None,
    hub_url: Annotated[str | None, typer.Option(envvar="MODELWARD_HUB_URL", help="For the texts of examples.")] = None,
) -> None:
    """Explain why an endpoint is as it is: conditions, checks with evidence, examples, scaling decisions."""
    import asyncio

    from modelward.cli.explain.inspect import NotFoundError, inspected
    from modelward.kube.errors import ApiError

    if "/" in name:
        namespace, _, name = name.partition("/")
    try:
        out.print(asyncio.run(inspected(namespace, name, kubeconfig, hub_url)))
    except (NotFoundError, OSError, ApiError) as error:
        fail(str(error))
