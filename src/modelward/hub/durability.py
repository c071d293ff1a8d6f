"""Making what was written to a directory outlive a power cut, since obstore hands it to the operating system only."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

_NO_FOLDER_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.EBADF)
"""What file systems answer that keep folders safe by themselves or not at all (NFS, some FUSE)."""


def sync_path(path: Path) -> None:
    """Return when a file's content, or a folder's list of names, is on the disk; what is gone needs no sync."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if not (path.is_dir() and error.errno in _NO_FOLDER_SYNC):
            raise
    finally:
        os.close(descriptor)


def sync_all(root: Path, paths: Iterable[str]) -> None:
    """Sync files below a root, then each of their folders once, from the deepest up to the one that holds the root.

    A name is safe only when its folder is, and a new folder only when its own name is: hence all of them.
    """
    files = [root / path for path in paths]
    folders: set[Path] = {root.parent}
    for file in files:
        sync_path(file)
        folders.update(folder for folder in file.parents if folder == root or root in folder.parents)
    for folder in sorted(folders, key=lambda folder: -len(folder.parts)):
        sync_path(folder)


@dataclass(slots=True)
class FolderSync:
    """Syncs in groups: whoever comes while a group is being synced waits for the next, and shares it."""

    root: Path
    _pending: set[str] = field(default_factory=set)
    _running: asyncio.Future[None] | None = None
    _following: asyncio.Future[None] | None = None

    async def synced(self, paths: Iterable[str]) -> None:
        """Return when these paths (written, moved or deleted before) are safe; OSError when the disk refuses."""
        self._pending.update(paths)
        if self._following is None:
            self._following = asyncio.ensure_future(self._group(self._running))
        await asyncio.shield(self._following)

    async def _group(self, before: asyncio.Future[None] | None) -> None:
        if before is not None:
            await asyncio.wait([before])
        self._running, self._following = self._following, None
        paths, self._pending = self._pending, set()
        await asyncio.to_thread(sync_all, self.root, paths)
