"""The generated definitions as files of a folder, written or compared."""

from __future__ import annotations

from pathlib import Path

from modelward.api import crd
from modelward.api.base import GROUP


def write(folder: Path) -> list[Path]:
    """Write every definition into the folder and return the files."""
    written = [folder / name for name in crd.files()]
    for path, text in zip(written, crd.files().values(), strict=True):
        path.write_text(text, encoding="utf-8")
    return written


def check(folder: Path) -> list[str]:
    """Return one line for each file of the folder that is missing, stale or not ours; empty when all is in order."""
    wanted = crd.files()
    unknown = sorted(path.name for path in folder.glob(f"{GROUP}_*.yaml") if path.name not in wanted)
    return [*_differences(folder, wanted), *(f"{name}: belongs to no kind; delete it" for name in unknown)]


def _differences(folder: Path, wanted: dict[str, str]) -> list[str]:
    found: list[str] = []
    for name, text in wanted.items():
        path = folder / name
        if not path.is_file():
            found.append(f"{name}: missing; run `modelward crd --output {folder}`")
        elif path.read_text(encoding="utf-8") != text:
            found.append(f"{name}: differs from the models; run `modelward crd --output {folder}`")
    return found
