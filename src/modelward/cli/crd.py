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
    from modelward.api import crd as documents

    if check:
        differences = documents.check(output)
        for line in differences:
            err.print(line)
        if differences:
            fail("run `modelward crd` and commit the result")
        return
    for name, text in documents.files().items():
        (output / name).write_text(text, encoding="utf-8")
        out.print(str(output / name))
