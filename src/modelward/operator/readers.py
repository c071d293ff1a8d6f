"""The accounts by whose tokens people read from the hub, in each namespace that has an endpoint."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from modelward.desired import names
from modelward.desired.account import reader_accounts
from modelward.desired.children import Child
from modelward.kube.errors import ApiError
from modelward.kube.kinds import LLM_ENDPOINT
from modelward.operator.endpoint.apply import ChildWriter
from modelward.operator.runtime.context import Context

log = logging.getLogger(__name__)


@dataclass(slots=True)
class ReaderAccounts:
    """Makes them; what is in the way is said in the log and keeps nothing else from being done."""

    context: Context
    _children: ChildWriter = field(init=False)

    def __post_init__(self) -> None:
        self._children = ChildWriter(self.context)

    async def ensure(self, namespace: str) -> None:
        """Put the accounts of a namespace in place, where its endpoints are and people may read by them."""
        settings = self.context.settings
        if (
            not settings.reader_accounts
            or not settings.hub_url
            or not self.context.store.names(LLM_ENDPOINT, namespace)
        ):
            return
        wanted = [Child(account, names.FRAME_MANAGER) for account in reader_accounts(namespace)]
        try:
            problems = await self._children.write(wanted, {"uid": ""})
        except ApiError as error:
            log.warning("reader_accounts=not_made namespace=%s cause=%r", namespace, str(error)[:200])
            return
        for problem in problems:
            log.warning("reader_accounts=not_made namespace=%s cause=%r", namespace, problem.finding.message[:200])
