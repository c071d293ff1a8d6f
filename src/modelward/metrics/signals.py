"""The signals that health and scaling are computed from, whichever engine or collector they were read from."""

from collections.abc import Iterable
from typing import NamedTuple

from modelward.api.signals import Signal

__all__ = ["Signal", "SignalKey", "signal_words"]


def signal_words(signals: Iterable[Signal]) -> str:
    """The first few of these signals as people call them, in alphabetical order."""
    named = sorted(signal.replace("_", " ") for signal in signals)
    return ", ".join(named[:3]) + (f" and {len(named) - 3} more" if len(named) > 3 else "")


class SignalKey(NamedTuple):
    """A signal of one model; the model is empty where the source does not name it."""

    signal: Signal
    model: str = ""
