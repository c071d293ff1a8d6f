"""Objects of Kubernetes as they are read: any kind, as JSON, and not to be changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

KubeObject = Mapping[str, Any]
