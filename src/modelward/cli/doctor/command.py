"""`modelward doctor`: whether an installation is as it should be."""

from __future__ import annotations

import typer

from modelward.cli.console import Kubeconfig, Output, SystemNamespace, fail, out

NEXT = (
    "Example: modelward doctor, or with all that the operator may read: "
    "kubectl exec -n modelward-system deploy/modelward -- modelward doctor. Each remark has its next command."
)


def doctor(
    namespace: SystemNamespace = "modelward-system", kubeconfig: Kubeconfig = None, output: Output = "text"
) -> None:
    """Look an installation over: kinds, operator, rights, hub, collectors, admission, endpoints. Changes nothing.

    Exit 0: nothing to act on, 1: errors or warnings.
    """
    import asyncio
    import json
    import sys

    from modelward.cli.doctor.examine import examined
    from modelward.cli.doctor.remark import exit_code
    from modelward.cli.doctor.remark_page import document, page

    try:
        remarks = asyncio.run(examined(kubeconfig, namespace))
    except OSError as error:
        fail(str(error))
    if output == "json":
        sys.stdout.write(json.dumps(document(remarks), indent=2) + "\n")
    else:
        out.print(page(remarks), soft_wrap=True)  # commands must survive copying
    raise typer.Exit(exit_code(remarks))
