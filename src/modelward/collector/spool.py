"""Batches that wait for the hub on disk, oldest first, within a limit; the disk may be full, read-only or absent."""

from __future__ import annotations

import os
from collections import deque
from pathlib import Path

LIMIT_BYTES = 64 * 1024 * 1024
TRIES = 3
_SUFFIX = ".exchanges"


class Spool:
    """Files named `NUMBER-COUNT.exchanges`, each one compressed batch of COUNT lines.

    What an earlier process left is taken over. `dropped` counts lines that made way for newer ones.
    """

    def __init__(self, directory: str, limit_bytes: int = LIMIT_BYTES) -> None:
        self._directory = Path(directory)
        self._limit = limit_bytes
        self._files: deque[tuple[Path, int, int]] = deque()
        self._bytes = 0
        self._number = 0
        self.dropped = 0
        self._tries: dict[Path, tuple[int, int]] = {}
        self._take_over()

    def __len__(self) -> int:
        return len(self._files)

    def put(self, batch: bytes, count: int) -> None:
        """Keep a batch, at the expense of the oldest; raises OSError where the disk does not take it."""
        self._number += 1
        path = self._directory / f"{self._number:012d}-{count}{_SUFFIX}"
        partial = path.with_suffix(".partial")
        try:
            partial.write_bytes(batch)
            partial.rename(path)
        except OSError:
            partial.unlink(missing_ok=True)
            raise
        self._files.append((path, count, len(batch)))
        self._bytes += len(batch)
        while self._bytes > self._limit and self._files:
            self.dropped += self._files[0][1]
            self.discard_oldest()

    def oldest(self) -> tuple[bytes, int] | None:
        """Return the batch that waited longest and its count; files that cannot be read are dropped."""
        while self._files:
            path, count, _ = self._files[0]
            try:
                return path.read_bytes(), count
            except OSError:
                self.dropped += count
                self.discard_oldest()
        return None

    def defer_oldest(self, accepted: int) -> int:
        """Let a batch that fails at the hub wait behind the others; return how many lines were given up with it.

        It is given up at the third failure, if the hub took another batch since the first: then it is the batch.
        `accepted` counts the batches that were taken so far.
        """
        path, count, _ = self._files[0]
        tries, accepted_before = self._tries.get(path, (0, accepted))
        if tries + 1 >= TRIES and accepted > accepted_before:
            self.discard_oldest()
            return count
        self._tries[path] = (tries + 1, accepted_before)
        self._files.rotate(-1)
        return 0

    def discard_oldest(self) -> None:
        """Forget the oldest batch."""
        path, _, size = self._files.popleft()
        self._tries.pop(path, None)
        self._bytes -= size
        try:
            path.unlink(missing_ok=True)
        except OSError:
            return

    def _take_over(self) -> None:
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            for path in sorted(self._directory.iterdir()):
                self._take_over_file(path)
        except OSError:
            return

    def _take_over_file(self, path: Path) -> None:
        number, _, count = path.stem.partition("-")
        if path.suffix == ".partial":
            path.unlink(missing_ok=True)
        elif path.suffix == _SUFFIX and number.isdigit() and count.isdigit():
            size = os.stat(path).st_size
            self._files.append((path, int(count), size))
            self._bytes += size
            self._number = max(self._number, int(number))
