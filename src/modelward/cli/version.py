"""`modelward version`: the release, as installed."""

from __future__ import annotations

from modelward.cli.console import out


def version() -> None:
    """Print the version."""
    from importlib.metadata import version as package_version

    out.print(package_version("modelward"))
