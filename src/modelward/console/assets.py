"""Style sheets, scripts and the icon: read once, served under a name that changes with their bytes."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "static"
SHEETS = ("base.css", "charts.css", "pages.css", "narrow.css")
"""Stand in each page, in this order: a browser draws nothing before it has all of them, and asking is a round trip."""
PRINT = "print.css"
SCRIPTS = ("vendor/htmx.min.js", "vendor/hx-csp.min.js", "console.js")
ICON = "icon.svg"
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is sent."""

    content_type: str
    body: bytes
    packed: bytes


@dataclass(frozen=True, slots=True)
class Assets:
    """All files by their address."""

    files: Mapping[str, Asset]
    print_sheet: str
    scripts: tuple[str, ...]
    icon: str


def load(folder: Path = FOLDER) -> Assets:
    """Read the files; OSError where one is missing."""
    bodies = {name: (folder / name).read_bytes() for name in (*SCRIPTS, PRINT, ICON)}
    addresses = {name: f"/static/{hashlib.sha256(body).hexdigest()[:16]}/{name}" for name, body in bodies.items()}
    files = {
        addresses[name]: Asset(_TYPES[Path(name).suffix], body, gzip.compress(body, mtime=0))
        for name, body in bodies.items()
    }
    return Assets(
        files,
        addresses[PRINT],
        tuple(addresses[name] for name in SCRIPTS),
        addresses[ICON],
    )


@cache
def sheet() -> str:
    """Return the style sheet of all pages, without comments."""
    text = "".join((FOLDER / name).read_text(encoding="utf-8") for name in SHEETS)
    return "\n".join(
        line.strip() for line in re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL).splitlines() if line.strip()
    )


@cache
def sheet_source() -> str:
    """Return by what a content security policy knows the style sheet that stands in a page."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(sheet().encode()).digest()).decode()}'"
