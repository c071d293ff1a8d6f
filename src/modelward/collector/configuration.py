"""The mounted configuration file, watched by its stat, because a ConfigMap mount swaps symbolic links."""

from __future__ import annotations

import json
import logging
import os
from dataclasses import replace
from pathlib import Path

from modelward.api.collector_config import CaptureSettings, CollectorConfig, config_from_json

log = logging.getLogger(__name__)

_GONE_AFTER_POLLS = 3
"""Polls without a file before the settings fall back to none: the mount swaps atomically, so this is no race."""


class WatchedConfig:
    """The settings in force: the last good file, or the defaults (nothing captured) where there is no file.

    `poll` costs one stat. `errors` counts files that were there and could not be used, or not all of them.
    """

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._signature: tuple[int, int, int] | None = None
        self._missing = 0
        self.current = CollectorConfig()
        self.errors = 0

    def poll(self) -> bool:
        """Look at the file again; return True if other settings are now in force."""
        signature = self._stat()
        if signature is None:
            self._missing += 1
            return self._missing == _GONE_AFTER_POLLS and self._set(CollectorConfig())
        self._missing = 0
        if signature == self._signature:
            return False
        self._signature = signature
        return self._load()

    def _stat(self) -> tuple[int, int, int] | None:
        try:
            found = os.stat(self._path)
        except FileNotFoundError:
            return None
        except OSError:
            return (-1, -1, -1)
        return (found.st_ino, found.st_mtime_ns, found.st_size)

    def _load(self) -> bool:
        try:
            config = config_from_json(json.loads(self._path.read_bytes()))
        except (OSError, ValueError, RecursionError):
            self.errors += 1
            return False
        if config.unreadable:
            self.errors += 1
            log.error("config=unreadable_fields fields=%s path=%s", ",".join(config.unreadable), self._path)
        return self._set(config)

    def _set(self, config: CollectorConfig) -> bool:
        changed, self.current = config != self.current, config
        return changed


def settings_by_hand(config: CollectorConfig, *, to_file: bool) -> CollectorConfig:
    """Return the settings; with an output file and no configuration, those of a run by hand: all, redacted."""
    if to_file and not config.generation:
        return replace(config, capture=CaptureSettings(content="Redacted", sample_ppm=1_000_000))
    return config
