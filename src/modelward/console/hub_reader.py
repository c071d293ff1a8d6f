"""What one person reads at the hub, with the person's own token: the hub authorises and records each read."""

from __future__ import annotations

from modelward.console.settings import ConsoleSettings
from modelward.hub_client.views import ViewClient


class HubReader(ViewClient):
    """Views of the hub; every method raises HubUnavailableError and nothing else."""

    @classmethod
    def at(cls, settings: ConsoleSettings, token: str) -> HubReader:
        """Return what asks the hub with one token; an empty one asks without. OSError without its authority."""
        pem = settings.hub_ca_file.read_bytes() if settings.hub_ca_file else None
        return cls(settings.hub_url, pem, (lambda: token) if token else None)
