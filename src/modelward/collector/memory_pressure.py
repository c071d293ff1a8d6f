"""How near the container is to its memory limit, so that capturing stops before the kernel stops the proxy."""

from __future__ import annotations

from pathlib import Path

CAPTURE_OFF_ABOVE = 0.70
OBSERVING_OFF_ABOVE = 0.85

_ROOT = Path("/sys/fs/cgroup")
_PAIRS = (
    ("memory.current", "memory.max", "memory.stat"),
    ("memory/memory.usage_in_bytes", "memory/memory.limit_in_bytes", "memory/memory.stat"),
)
_UNLIMITED = 1 << 60


def used_share(root: Path = _ROOT) -> float:
    """Return memory in use over the limit, without file cache that can be dropped; 0 where there is no limit."""
    for current, limit, stat in _PAIRS:
        try:
            most = _limit(root / limit)
            used = int((root / current).read_text())
            return 0.0 if most is None else max(0, used - _inactive_file(root / stat)) / most
        except (OSError, ValueError):
            continue
    return 0.0


def limit_bytes(root: Path = _ROOT) -> int | None:
    """Return the container's memory limit; None where there is none or it cannot be read."""
    for _, limit, _ in _PAIRS:
        try:
            return _limit(root / limit)
        except (OSError, ValueError):
            continue
    return None


def _limit(file: Path) -> int | None:
    maximum = file.read_text().strip()
    return None if maximum == "max" or int(maximum) >= _UNLIMITED else int(maximum)


def _inactive_file(stat: Path) -> int:
    for line in stat.read_text().splitlines():
        name, _, value = line.partition(" ")
        if name == "inactive_file":
            return int(value)
    return 0
