"""The installation as it is set up in a cluster: the settings that the chart mounts into the operator."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version

import yaml

from modelward.controller.settings import Settings, SettingsError, read
from modelward.desired.installation import Installation
from modelward.kube.client import Client
from modelward.kube.errors import ApiError
from modelward.kube.kinds import CONFIG_MAP

CONFIG_MAP_NAME = "modelward-settings"
_KEY = "settings.yaml"


@dataclass(frozen=True, slots=True)
class Setup:
    """The settings in force; None with the problem where they cannot be read."""

    settings: Settings | None
    problem: str = ""

    @property
    def installation(self) -> Installation:
        """What enters the objects that the operator makes; with stand-ins for the images where they are not known."""
        if self.settings is None:
            return Installation(
                "modelward-collector", "modelward", "https://modelward-hub", version=version("modelward")
            )
        return Installation(
            collector_image=self.settings.collector_image,
            evaluator_image=self.settings.evaluator_image,
            hub_url=self.settings.hub_url,
            version=version("modelward"),
            namespace=self.settings.namespace,
            pod=self.settings.pod,
        )


async def setup(client: Client, namespace: str) -> Setup:
    """Read the settings from the installation's own namespace; whatever is in the way becomes the problem."""
    where = f"ConfigMap {namespace}/{CONFIG_MAP_NAME}"
    try:
        found = await client.get(CONFIG_MAP, namespace, CONFIG_MAP_NAME)
        values = yaml.safe_load((found.get("data") or {}).get(_KEY, ""))
        return Setup(read(values if isinstance(values, dict) else {}, where))
    except ApiError as error:
        return Setup(None, f"{where}: {error.message}")
    except (SettingsError, yaml.YAMLError) as error:
        return Setup(None, str(error))
