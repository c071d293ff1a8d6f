"""`modelward plugin`: puts `kubectl modelward` where kubectl finds it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from modelward.cli.console import err, fail, out

NEXT = "Example: modelward plugin --to ~/bin. One file of Python: copy it to any machine with Python 3.11 and kubectl"


def plugin(
    to: Annotated[Path, typer.Option(help="Folder on your PATH.")] = Path("~/.local/bin"),
) -> None:
    """Install `kubectl modelward` and its completion: status, why, top, cost, alerts, ack, samples, label, …"""
    import os

    from modelward.cli.plugin_file import write_plugin

    folder = to.expanduser()
    try:
        written = write_plugin(folder)
    except OSError as error:
        fail(f"{folder}: {error.strerror}; choose another folder with --to")
    for path in written:
        out.print(str(path), highlight=False, soft_wrap=True)
    if str(folder) not in os.environ.get("PATH", "").split(os.pathsep):
        err.print(f"{folder} is not on your PATH: kubectl will not find the plugin there", highlight=False)
