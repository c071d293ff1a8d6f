"""The cgroup under which all pods live, on version 1 and version 2 alike."""

import contextlib
import time
from pathlib import Path

from settings import NAME

_ROOT = Path("/sys/fs/cgroup")
_NEEDED = ("cpuset", "cpu", "io", "memory", "hugetlb", "pids")


def unified() -> bool:
    """Whether the machine has cgroup version 2 alone."""
    return (_ROOT / "cgroup.controllers").exists()


def up() -> None:
    """Make the parent of all pods' cgroups: kubelet wants it to exist."""
    if unified():
        for controller in _NEEDED:
            with contextlib.suppress(OSError):
                (_ROOT / "cgroup.subtree_control").write_text(f"+{controller}")
        (_ROOT / NAME).mkdir(exist_ok=True)
        return
    for hierarchy in _hierarchies():
        group = hierarchy / NAME
        group.mkdir(exist_ok=True)
        for name in ("cpuset.cpus", "cpuset.mems"):  # an empty set admits no process
            if (hierarchy / name).exists():
                (group / name).write_text((hierarchy / name).read_text())


def down() -> None:
    """Remove our groups, innermost first; the kernel may take a moment to let go of the last process."""
    deadline = time.monotonic() + 10
    while left := remains():
        for group in left:
            for folder in sorted((path for path in group.rglob("*") if path.is_dir()), reverse=True):
                with contextlib.suppress(OSError):
                    folder.rmdir()
            with contextlib.suppress(OSError):
                group.rmdir()
        if time.monotonic() > deadline:
            return
        time.sleep(0.05)


def remains() -> list[Path]:
    """Our groups that exist now."""
    return [group for group in (parent / NAME for parent in [_ROOT, *_hierarchies()]) if group.exists()]


def _hierarchies() -> list[Path]:
    return [] if unified() else [path for path in sorted(_ROOT.iterdir()) if path.is_dir() and not path.is_symlink()]
