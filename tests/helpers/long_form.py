"""Whether tests take their long form: MODELWARD_FULL=1 repeats more of what the short form tries a few times."""

from __future__ import annotations

import os

FULL = os.environ.get("MODELWARD_FULL") == "1"
