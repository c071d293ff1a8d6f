"""What ends a command of the plugin."""

from __future__ import annotations


class PluginError(Exception):
    """What went wrong and what to do about it, in one message for the person who asked."""
