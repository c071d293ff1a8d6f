"""What a Job does that tells a team: it sends the messages of its plan, and leaves word on each."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from modelward.alerts.message import message_from_json
from modelward.alerts.receiver import Addressee, Answered, Told
from modelward.api.alert_receivers import AlertReceiver
from modelward.api.notify_plan import MAX_ORDERS, NotifyOrder, NotifyOutcome, NotifyPlan
from modelward.job.delivery.courier import Courier

log = logging.getLogger(__name__)

PAUSES_S = (1.0, 4.0, 15.0)
"""Between tries: what lasts longer is for the next Job, which the operator makes later."""
LONGEST_PAUSE_S = 30
DEADLINE_S = 120.0
"""For all messages together; less than the Job's own deadline, so that there is word on each."""
LATE = "not sent within the Job's time"


@dataclass(frozen=True, slots=True)
class NotifyRun:
    """Sends at once; `leave_word` is called with all outcomes so far, so that a Job that is killed has left some."""

    courier: Courier
    leave_word: Callable[[Sequence[NotifyOutcome]], None]
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    deadline_s: float = DEADLINE_S

    async def run(self, plan: NotifyPlan) -> tuple[NotifyOutcome, ...]:
        """Return one outcome for each order, in their order."""
        orders = plan.orders[:MAX_ORDERS]
        found = {one.id: NotifyOutcome(one.id, told=False, problem=LATE) for one in orders}
        self.leave_word((*found.values(),))

        async def one(order: NotifyOrder) -> None:
            found[order.id] = await self._told(order)
            self.leave_word((*found.values(),))

        try:
            async with asyncio.timeout(self.deadline_s):
                await asyncio.gather(*map(one, orders))
        except TimeoutError:
            log.warning("notify=late messages=%d", len(orders))
        return (*found.values(),)

    async def _told(self, order: NotifyOrder) -> NotifyOutcome:
        try:
            message = message_from_json(order.message)
            to = Addressee(AlertReceiver.model_validate(order.receiver), order.ref)
        except ValueError as error:
            log.warning("notify=unreadable id=%s error=%s", order.id, type(error).__name__)
            return NotifyOutcome(order.id, told=False, problem="the Job cannot read this message", permanent=True)
        for pause_s in (*PAUSES_S, None):
            found = outcome(order.id, await self.courier.deliver(message, to))
            wait_s = max(pause_s or 0.0, found.retry_after_s)
            if found.told or found.permanent or pause_s is None or wait_s > LONGEST_PAUSE_S:
                break
            await self.pause(wait_s)
        return found


def outcome(order: str, answered: Answered) -> NotifyOutcome:
    """Return what a receiver answered as the Job reports it."""
    if isinstance(answered, Told):
        return NotifyOutcome(order, told=True, ref=answered.ref)
    return NotifyOutcome(
        order,
        told=False,
        problem=answered.cause,
        permanent=answered.permanent,
        retry_after_s=answered.retry_after_s or 0,
    )
