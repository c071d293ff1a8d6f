"""Programs that tests run beside the cluster: Prometheus with promtool, nginx, Chromium, an S3 server, fake nodes."""

import shutil
from pathlib import Path

import build
import host
import versions
from console import say


def install() -> None:
    """Install or build them all, and say where each is."""
    host.install(versions.TOOL_PACKAGES)
    build.build(build.CLUSTER + build.TOOLS)
    for name in ("prometheus", "promtool", "nginx", "chromium"):
        say(f"{name:10} {shutil.which(name) or Path('/usr/sbin') / name}")
    build.report()
