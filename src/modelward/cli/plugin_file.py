"""The kubectl plugin as one file that Python runs: a zip archive of the package, the same bytes each time."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import modelward
from modelward import kubectl

NAMES = ("kubectl-modelward", "kubectl_complete-modelward")
_SHEBANG = b"#!/usr/bin/env python3\n"
_EPOCH = (1980, 1, 1, 0, 0, 0)


def plugin_bytes() -> bytes:
    """Return the archive with the line before it by which a shell runs it."""
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in _files():
            packed.writestr(zipfile.ZipInfo(name, _EPOCH), content, zipfile.ZIP_DEFLATED)
    return _SHEBANG + archive.getvalue()


def write_plugin(folder: Path) -> tuple[Path, ...]:
    """Write the plugin and its completion, which is the same file under another name; OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    content = plugin_bytes()
    paths = tuple(folder / name for name in NAMES)
    for path in paths:
        path.write_bytes(content)
        path.chmod(0o755)
    return paths


def _files() -> Iterator[tuple[str, bytes]]:
    yield "__main__.py", b"import sys\n\nfrom modelward.kubectl.main import main\n\nsys.exit(main())\n"
    yield "modelward/__init__.py", Path(str(modelward.__file__)).read_bytes()
    for path in sorted(Path(str(kubectl.__file__)).parent.glob("*.py")):
        yield f"modelward/kubectl/{path.name}", path.read_bytes()
