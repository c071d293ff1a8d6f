"""What can go wrong with one request or with one watch; the proxy applies these where a rule matches."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from calls import Call, Event, Match, Reply

Forward = Callable[[Call], Awaitable[Reply]]
Fault = Callable[[Call, Forward], Awaitable[Reply | None]]
"""Gets a request and the way to the API server; None closes the connection without an answer."""
Events = AsyncIterator[Event]
WatchFault = Callable[[Events], Events]
"""Gets a watch's events as the API server sends them; gives those that the client is to see."""


async def drop(_call: Call, _forward: Forward) -> Reply | None:
    """The request never arrives."""
    return None


async def lose_reply(call: Call, forward: Forward) -> Reply | None:
    """The request is carried out and its answer is lost."""
    await forward(call)
    return None


def delay(seconds: float) -> Fault:
    """The request arrives late; requests behind it may overtake it."""

    async def late(call: Call, forward: Forward) -> Reply | None:
        await asyncio.sleep(seconds)
        return await forward(call)

    return late


def hold(let_go: threading.Event) -> Fault:
    """The request arrives when it is let go; requests behind it may overtake it."""

    async def late(call: Call, forward: Forward) -> Reply | None:
        while not let_go.is_set():  # noqa: ASYNC110 - set by another thread
            await asyncio.sleep(0.05)
        return await forward(call)

    return late


def refuse(status: int, reason: str, message: str = "injected", retry_after_s: int | None = None) -> Fault:
    """The API server answers with an error and does nothing."""
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": status}
    headers = {"Content-Type": "application/json"}
    headers |= {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}

    async def refused(call: Call, _forward: Forward) -> Reply | None:
        return Reply(status, json.dumps(body | {"message": f"{message} ({call})"}).encode(), headers)

    return refused


async def truncate(call: Call, forward: Forward) -> Reply | None:
    """The answer stops in its middle."""
    reply = await forward(call)
    return replace(reply, cut_at=len(reply.body) // 2)


def stale(version: str) -> Fault:
    """Reads are answered as of an older resourceVersion, by the API server itself from etcd's history."""

    async def older(call: Call, forward: Forward) -> Reply | None:
        if call.verb not in ("get", "list") or not call.plural or call.subresource:
            return await forward(call)
        exact = {**call.query, "resourceVersion": version, "resourceVersionMatch": "Exact"}
        if call.verb == "list":
            # A page's token carries its version in it.
            return await forward(call if "continue" in call.query else replace(call, query=exact))
        collection = call.path.rpartition("/")[0]
        reply = await forward(
            replace(call, path=collection, query={**exact, "fieldSelector": f"metadata.name={call.name}"})
        )
        return reply if reply.status >= 300 else _only(reply, call)

    return older


def _only(reply: Reply, call: Call) -> Reply:
    listing = json.loads(reply.body)
    if listing["items"]:
        kind = {"apiVersion": listing["apiVersion"], "kind": listing["kind"].removesuffix("List")}
        return replace(reply, body=json.dumps(kind | listing["items"][0]).encode())
    body = {
        "kind": "Status",
        "status": "Failure",
        "reason": "NotFound",
        "code": 404,
        "message": f"{call.name} not found",
    }
    return replace(reply, status=404, body=json.dumps(body).encode())


@dataclass(slots=True)
class Crash:
    """The client dies with its k-th write: that one is carried out, and of what follows nothing gets through.

    With `answered` false the answer to that write is lost as well.
    """

    after: int
    match: Match
    answered: bool = True
    writes: int = 0
    seen: list[str] = field(default_factory=list)

    @property
    def happened(self) -> bool:
        """Whether there was a k-th write at all."""
        return self.writes >= self.after

    async def __call__(self, call: Call, forward: Forward) -> Reply | None:
        """Let a request through while the client lives."""
        if self.writes >= self.after:
            return None
        reply = await forward(call)
        if self.match(call):
            self.writes += 1
            self.seen.append(str(call))
        return reply if self.answered or self.writes < self.after else None


def without(wanted: Callable[[Event], bool], times: int = 1_000_000) -> WatchFault:
    """A watch that loses the events that are wanted, the first `times` of them."""

    async def losing(events: Events) -> Events:
        left = times
        async for event in events:
            if wanted(event) and left > 0:
                left -= 1
                continue
            yield event

    return losing


async def repeating(events: Events) -> Events:
    """A watch that brings each event twice."""
    async for event in events:
        yield event
        yield event


def swapping(distance: int, within_s: float = 0.5) -> WatchFault:
    """A watch that holds each so many events back and brings them in reverse, at the latest after `within_s`."""

    async def swapped(events: Events) -> Events:
        held: list[Event] = []
        following = asyncio.ensure_future(anext(events, None))
        while True:
            done, _ = await asyncio.wait({following}, timeout=within_s if held else None)
            event = following.result() if done else None
            if event is not None:
                held.append(event)
            if len(held) >= distance or not done or event is None:
                for late in reversed(held):
                    yield late
                held.clear()
            if done:
                if event is None:
                    return
                following = asyncio.ensure_future(anext(events, None))

    return swapped


def belated(seconds: float) -> WatchFault:
    """A watch that brings every event so late."""

    async def late(events: Events) -> Events:
        async for event in events:
            await asyncio.sleep(seconds)
            yield event

    return late


def ending(code: int, reason: str, message: str = "injected") -> Event:
    """The event with which a watch ends for a reason; 410 Expired: the client is to list anew."""
    status: dict[str, Any] = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
    return {"type": "ERROR", "object": status | {"code": code, "reason": reason, "message": message}}


def about(event: Event) -> Mapping[str, Any]:
    """The metadata of the object that an event is about."""
    metadata: Mapping[str, Any] = event["object"].get("metadata") or {}
    return metadata
