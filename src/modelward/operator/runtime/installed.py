"""What this installation is: its images, its hub with the hub's certificate, and the evaluators that it ships."""

from __future__ import annotations

import logging
from dataclasses import replace
from importlib.metadata import version

from modelward.desired.installation import Installation
from modelward.kube.certificate import CONFIG_MAP_NAME, KEY
from modelward.kube.errors import ApiError
from modelward.kube.kinds import CONFIG_MAP
from modelward.operator.runtime.context import Context

log = logging.getLogger(__name__)


class Installed:
    """The installation as it is now; the hub's certificate comes when the hub has started, and changes when it must."""

    def __init__(self, context: Context) -> None:
        settings = context.settings
        self._context = context
        self._now = Installation(
            collector_image=settings.collector_image,
            evaluator_image=settings.evaluator_image,
            hub_url=settings.hub_url,
            version=version("modelward"),
            namespace=settings.namespace,
            pod=settings.pod,
            allowed_hosts=settings.allowed_hosts,
            isolate_containers=settings.isolate_containers,
        )

    @property
    def now(self) -> Installation:
        """The installation as last seen."""
        return self._now

    async def refresh(self) -> bool:
        """Look for the hub's certificate; return whether it changed. An API server that is away changes nothing."""
        if self._now.hub_url is None:
            return False
        try:
            found = await self._context.client.find(CONFIG_MAP, self._now.namespace, CONFIG_MAP_NAME)
        except ApiError as error:
            log.warning("hub_ca=unreadable namespace=%s error=%r", self._now.namespace, error.message[:200])
            return False
        pem = (found or {}).get("data", {}).get(KEY, "")
        if not pem or pem == self._now.hub_ca_pem:
            return False
        self._now = replace(self._now, hub_ca_pem=pem)
        log.info("hub_ca=found bytes=%d", len(pem))
        return True
