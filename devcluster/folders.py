"""Folders that a life of the cluster needs on the host: those that it makes are noted, and go with it."""

import contextlib
import json
from collections.abc import Iterable
from pathlib import Path

from console import succeeds
from settings import RUN


def make(folders: Iterable[str]) -> None:
    """Make those that are not there, and note that they are ours."""
    made = json.loads(_note().read_text()) if _note().exists() else []
    for folder in map(Path, folders):
        if not folder.exists():
            folder.mkdir(parents=True)
            made.append(str(folder))
    RUN.mkdir(parents=True, exist_ok=True)
    _note().write_text(json.dumps(made))


def remove_made() -> None:
    """Remove those that we made; one that another process uses by now has become its own."""
    if not _note().exists():
        return
    for folder in map(Path, json.loads(_note().read_text())):
        with contextlib.suppress(OSError):
            if not any(folder.iterdir()):
                # `ip netns` binds its folder to itself, which `is_mount` does not see.
                while succeeds("umount", folder):
                    pass
                folder.rmdir()
    _note().unlink()


def _note() -> Path:
    return RUN / "made-folders.json"
