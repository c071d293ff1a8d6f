"""Fixtures of the hub's tests; see hub_fixtures for what they are made of."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def file_url(tmp_path: Path) -> str:
    """A store on the disk."""
    return f"file://{tmp_path}/store"
