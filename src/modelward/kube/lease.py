"""One writer at a time, by a coordination.k8s.io Lease; the holder knows for how long it may still write.

The holder counts from the moment it *sent* a renewal, on a clock that runs on while the machine sleeps, and stops
5 s before others may take over; they count from when they *saw* the last renewal. No two clocks are compared.
Numbers: controller-runtime's (pkg/manager/internal.go): 15 s lease, 10 s to renew, 2 s between tries.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from modelward.api.quantity import micro_time
from modelward.clock import boottime
from modelward.kube.client import Client
from modelward.kube.errors import ApiError, Conflict, LeadershipLost, NotFound
from modelward.kube.kinds import LEASE, Object

log = logging.getLogger(__name__)

DURATION_S = 15.0
RENEW_WITHIN_S = 10.0
RETRY_S = 2.0
REQUEST_S = 5.0


@dataclass(frozen=True, slots=True)
class Clocks:
    """Time as the Lease needs it: seconds for deadlines, wall clock for what people read, and waiting."""

    seconds: Callable[[], float] = boottime
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class Lease:
    """Our claim on one Lease object; identity names this process and no other, also after a restart."""

    def __init__(self, client: Client, namespace: str, name: str, identity: str, clocks: Clocks | None = None) -> None:
        self._client = client
        self._namespace = namespace
        self._name = name
        self._identity = identity
        self._clocks = clocks or Clocks()
        self._deadline = float("-inf")
        self._held: Object | None = None
        self._seen: tuple[str, float] = ("", float("-inf"))
        """The version of another's claim, and when it ends if it is not renewed."""

    def seconds_left(self) -> float:
        """For how long a write may still take; 0 or less when we do not lead."""
        return self._deadline - self._clocks.seconds()

    async def acquire(self) -> None:
        """Wait until we hold the Lease, trying every 2 s and when another's claim ends.

        Trouble with the API server is logged and waited out.
        """
        while True:
            try:
                if await self._try():
                    log.info("lease acquired name=%s/%s identity=%s", self._namespace, self._name, self._identity)
                    return
            except ApiError as error:
                log.warning("lease not acquired name=%s/%s error=%s", self._namespace, self._name, error)
            ends_in = self._seen[1] - self._clocks.seconds()
            await self._clocks.sleep(min(RETRY_S, ends_in) if ends_in > 0 else RETRY_S)

    async def observe(self) -> None:
        """Note another's claim until cancelled, so that its time runs while we cannot lead yet; nothing is taken."""
        while True:
            try:
                lease = await self._client.find(LEASE, self._namespace, self._name, deadline=REQUEST_S)
                if lease is not None:
                    self._free(lease)
            except ApiError as error:
                log.warning("lease not observed name=%s/%s error=%s", self._namespace, self._name, error)
            await self._clocks.sleep(RETRY_S)

    async def hold(self, client: Client | None = None) -> None:
        """Renew the Lease for ever; LeadershipLost when another took it or no renewal got through in time.

        By a client of the running loop, where that is not the loop that acquired it.
        """
        acquired_by, self._client = self._client, client or self._client
        try:
            await self._renew_for_ever()
        finally:
            self._client = acquired_by

    async def _renew_for_ever(self) -> None:
        while self.seconds_left() > 0:
            await self._clocks.sleep(min(RETRY_S, self.seconds_left()))
            if self.seconds_left() <= 0:
                break
            try:
                await self._renew()
            except ApiError as error:
                log.warning("lease not renewed seconds_left=%.1f error=%s", self.seconds_left(), error)
        self._deadline = float("-inf")
        raise LeadershipLost("the Lease could not be renewed in time")

    async def release(self) -> None:
        """Give the Lease up, so that the standby need not wait until it ends; we write nothing from here on.

        A renewal that was cut short may have happened all the same, and so may edits by others: then we look again.
        """
        held, ends = self._held, self._deadline
        self._deadline, self._held = float("-inf"), None
        try:
            while held is not None and (left := ends - self._clocks.seconds()) > 0:
                spec = held["spec"] | {"holderIdentity": "", "leaseDurationSeconds": 1}
                try:
                    await self._client.replace(held | {"spec": spec}, deadline=min(left, REQUEST_S))
                except Conflict:
                    lease, holder = await self._look(min(left, REQUEST_S))
                    held = lease if holder == self._identity else None
                else:
                    held = None
                    log.info("lease released name=%s/%s", self._namespace, self._name)
        except ApiError as error:
            log.warning("lease not released name=%s/%s error=%s", self._namespace, self._name, error)

    async def _try(self) -> bool:
        lease = await self._client.find(LEASE, self._namespace, self._name, deadline=REQUEST_S)
        try:
            if lease is None:
                await self._write(self._claim(None), self._client.create)
            elif self._free(lease):
                await self._write(self._claim(lease), self._client.replace)
            else:
                return False
        except Conflict:
            return False
        return True

    def _free(self, lease: Object) -> bool:
        """Whether it is free, ours, or was not renewed by its holder for its whole duration as we saw it."""
        spec = lease.get("spec") or {}
        holder = spec.get("holderIdentity") or ""
        if holder in ("", self._identity):
            return True
        version, now = str(lease["metadata"]["resourceVersion"]), self._clocks.seconds()
        if version != self._seen[0]:
            self._seen = (version, now + float(spec.get("leaseDurationSeconds") or DURATION_S))
        return now >= self._seen[1]

    async def _renew(self) -> None:
        if self._held is None:
            raise LeadershipLost("the Lease is not held")
        spec = self._held["spec"] | {"renewTime": micro_time(self._clocks.now())}
        try:
            await self._write(self._held | {"spec": spec}, self._client.replace)
        except Conflict:
            await self._look_again()
        except NotFound:
            raise self._lost("no holder, the Lease was deleted") from None

    async def _look_again(self) -> None:
        """A renewal whose answer got lost may have happened; the Lease may also have been edited or taken."""
        lease, holder = await self._look(self._patience())
        if holder != self._identity:
            raise self._lost(holder)
        self._held = lease

    async def _look(self, patience: float) -> tuple[Object, str]:
        """Return the Lease as it is, and who holds it."""
        lease = await self._client.get(LEASE, self._namespace, self._name, deadline=patience)
        return lease, (lease.get("spec") or {}).get("holderIdentity") or "no holder"

    def _lost(self, holder: str) -> LeadershipLost:
        self._deadline, self._held = float("-inf"), None
        return LeadershipLost(f"the Lease is held by {holder}")

    async def _write(self, lease: Object, write: Callable[..., Awaitable[Object]]) -> None:
        sent = self._clocks.seconds()
        self._held = await write(lease, deadline=self._patience())
        self._deadline = sent + RENEW_WITHIN_S

    def _patience(self) -> float:
        left = self.seconds_left()
        return REQUEST_S if left <= 0 else min(REQUEST_S, left)

    def _claim(self, lease: Object | None) -> Object:
        now = micro_time(self._clocks.now())
        if lease is None:
            metadata = {"name": self._name, "namespace": self._namespace}
            lease = {"apiVersion": LEASE.api_version, "kind": LEASE.kind, "metadata": metadata}
        before = lease.get("spec") or {}
        return lease | {
            "spec": {
                "holderIdentity": self._identity,
                "leaseDurationSeconds": int(DURATION_S),
                "acquireTime": now,
                "renewTime": now,
                "leaseTransitions": int(before.get("leaseTransitions") or 0) + bool(before),
            }
        }
