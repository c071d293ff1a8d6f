"""`modelward crd`: the CustomResourceDefinitions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from modelward.cli.console import err, fail, out

NEXT = "Next: kubectl apply --server-side -f crds/"


def crd(
    check: Annotated[
        bool, typer.Option("--check", help="Only say whether the folder is up to date; exit 1 if not.")
    ] = False,
    output: Annotated[Path, typer.Option(help="Folder of the generated files.")] = Path("crds"),
) -> None:
    """Write the CustomResourceDefinitions that the pydantic models imply."""
    from modelward.cli import definitions

    if check:
        differences = definitions.check(output)
        for line in differences:
            err.print(line)
        if differences:
            fail("run `modelward crd` and commit the result")
        return
    for path in definitions.write(output):
        out.print(str(path))
