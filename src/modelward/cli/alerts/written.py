"""A receiver as a file has it: in MonitoringPolicies, or in values of the chart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from modelward.api.alert_receivers import PlatformReceiver
from modelward.api.form import in_words
from modelward.operator.runtime.alert_settings import KNOWN_HOSTS


class WrittenError(ValueError):
    """The file has no such receiver, or it is written wrong; the message says which it has."""


@dataclass(frozen=True, slots=True)
class WrittenReceiver:
    """A receiver, and the hosts that the same file allows."""

    receiver: PlatformReceiver
    hosts: tuple[str, ...] = KNOWN_HOSTS


def receiver_in(file: Path, name: str) -> WrittenReceiver:
    """Return the receiver of this name. Raises WrittenError, or OSError where the file cannot be read."""
    try:
        documents = [one for one in yaml.safe_load_all(file.read_text(encoding="utf-8")) if isinstance(one, dict)]
    except yaml.YAMLError as error:
        raise WrittenError(f"{file}: {error}") from error
    known: list[str] = []
    for block in _blocks(documents):
        for one in block.get("receivers") or ():
            known.append(str(one.get("name", "")) if isinstance(one, dict) else "")
            if known[-1] == name:
                hosts = tuple(map(str, block.get("allowedHosts", KNOWN_HOSTS)))
                return WrittenReceiver(_receiver(file, one), hosts)
    raise WrittenError(f"{file}: no receiver is called {name}; it has {', '.join(known) or 'none'}")


def _blocks(documents: list[dict[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield every block `alerts`, of values and of policies' specs."""
    for one in documents:
        holder = (one.get("spec") or {}) if "kind" in one else one
        block = holder.get("alerts") if isinstance(holder, dict) else None
        if isinstance(block, dict):
            yield block


def _receiver(file: Path, block: Mapping[str, Any]) -> PlatformReceiver:
    try:
        return PlatformReceiver.model_validate(block)
    except ValidationError as error:
        raise WrittenError(f"{file}: {'; '.join(in_words(error))}") from error
