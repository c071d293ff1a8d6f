"""`modelward collector`: the proxy in front of a model server, whose image has only the package of that name.

It reads its own arguments, because that image has no typer: `modelward.collector.command` has its options.
"""

from __future__ import annotations

from typing import Any

import typer

CONTEXT: dict[str, Any] = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


def collector(context: typer.Context) -> None:
    """Run the collector in front of a model server: --listen HOST:PORT --upstream URL [--config FILE]."""
    from modelward.collector.command import main as run

    raise typer.Exit(run(context.args))
