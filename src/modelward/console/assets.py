"""Style sheets, scripts and the icon: read once, served under a name that changes with their bytes."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "static"
SHEETS = ("base.css", "charts.css", "pages.css", "narrow.css", "print.css")
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
    sheets: tuple[str, ...]
    scripts: tuple[str, ...]
    icon: str


def load(folder: Path = FOLDER) -> Assets:
    """Read the files; OSError where one is missing."""
    names = (*SHEETS, *SCRIPTS, ICON)
    bodies = {name: (folder / name).read_bytes() for name in names}
    addresses = {name: f"/static/{hashlib.sha256(body).hexdigest()[:16]}/{name}" for name, body in bodies.items()}
    files = {
        addresses[name]: Asset(_TYPES[Path(name).suffix], body, gzip.compress(body, mtime=0))
        for name, body in bodies.items()
    }
    return Assets(
        files,
        tuple(addresses[name] for name in SHEETS),
        tuple(addresses[name] for name in SCRIPTS),
        addresses[ICON],
    )
