"""Style sheets, scripts and the icon: read once, served under a name that changes with their bytes."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "static"
SHEETS = ("base.css", "charts.css", "pages.css", "narrow.css", "print.css")
"""Sent as one, in this order: a browser draws nothing before it has all of them."""
SHEET = "console.css"
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
    sheet: str
    scripts: tuple[str, ...]
    icon: str


def load(folder: Path = FOLDER) -> Assets:
    """Read the files; OSError where one is missing."""
    bodies = {name: (folder / name).read_bytes() for name in (*SCRIPTS, ICON)}
    bodies[SHEET] = b"".join((folder / name).read_bytes() for name in SHEETS)
    addresses = {name: f"/static/{hashlib.sha256(body).hexdigest()[:16]}/{name}" for name, body in bodies.items()}
    files = {
        addresses[name]: Asset(_TYPES[Path(name).suffix], body, gzip.compress(body, mtime=0))
        for name, body in bodies.items()
    }
    return Assets(
        files,
        addresses[SHEET],
        tuple(addresses[name] for name in SCRIPTS),
        addresses[ICON],
    )
