"""The installation as it is set up in a cluster: the settings that the chart mounts into the operator."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import yaml

from modelward.cli.cluster.reading import ClusterReader, Unread
from modelward.desired.installation import Installation
from modelward.kube.kinds import CONFIG_MAP
from modelward.operator.runtime.settings import Settings, SettingsError, load, read

CONFIG_MAP_NAME = "modelward-settings"
MOUNTED = Path("/etc/modelward/settings.yaml")
"""Where the chart mounts the ConfigMap into the operator's pod."""
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
            allowed_hosts=self.settings.allowed_hosts,
            isolate_containers=self.settings.isolate_containers,
        )


async def setup(reading: ClusterReader, namespace: str) -> Setup:
    """Read the settings from the installation's own namespace; whatever is in the way becomes the problem.

    In its own pod the operator reads its file: where it serves single namespaces it has no right on the ConfigMap.
    """
    if reading.as_operator and (mounted := _mounted()) is not None:
        return mounted
    where = f"ConfigMap {namespace}/{CONFIG_MAP_NAME}"
    found = await reading.find(CONFIG_MAP, namespace, CONFIG_MAP_NAME)
    if found is None or isinstance(found, Unread):
        return Setup(None, f"{where}: {found.why if found else 'there is none'}")
    try:
        values = yaml.safe_load((found.get("data") or {}).get(_KEY, ""))
        return Setup(read(values if isinstance(values, dict) else {}, where))
    except (SettingsError, yaml.YAMLError) as error:
        return Setup(None, str(error))


def _mounted() -> Setup | None:
    if not MOUNTED.exists():
        return None
    try:
        return Setup(load(MOUNTED, os.environ))
    except SettingsError as error:
        return Setup(None, str(error))
