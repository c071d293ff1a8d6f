"""`modelward images`: what to copy into a registry behind an air gap."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from modelward.cli.console import SystemNamespace, err, fail, out

NEXT = "Example: modelward images --kubeconfig ~/.kube/config > images.txt, then crane copy of each line"


def images(
    settings: Annotated[Path | None, typer.Option(help="The operator's settings file.")] = None,
    kubeconfig: Annotated[str | None, typer.Option(help="Which cluster; by default the current context.")] = None,
    namespace: SystemNamespace = "modelward-system",
) -> None:
    """List every image that an installation pulls, one a line, by digest where one is known: for air gaps."""
    import asyncio

    from modelward.cli.image_list import images as known_images
    from modelward.operator.runtime.settings import SettingsError

    try:
        found = asyncio.run(known_images(settings, kubeconfig, namespace))
    except (OSError, SettingsError) as error:
        fail(str(error))
    for reference in found.references:
        out.print(reference, soft_wrap=True, highlight=False)
    for note in found.notes:
        err.print(note, soft_wrap=True, highlight=False)
    for image in found.unknown:  # beside the list, so that the list can be piped
        how = f"ask its registry (crane digest {image}), or a cluster that runs it (--kubeconfig FILE)"
        err.print(f"digest not known: {image}: {how}", soft_wrap=True, highlight=False)
