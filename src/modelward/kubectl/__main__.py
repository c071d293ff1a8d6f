"""Runs the plugin: of a zipapp, or by `python -m modelward.kubectl`."""

from __future__ import annotations

import sys

from modelward.kubectl.main import main

if __name__ == "__main__":
    sys.exit(main())
