"""Which release of the collector this is."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version


@cache
def version() -> str:
    """Return the installed package's version, `unknown` when it runs from a bare source tree."""
    try:
        return installed_version("modelward")
    except PackageNotFoundError:
        return "unknown"
