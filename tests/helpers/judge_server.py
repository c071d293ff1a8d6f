"""A judge on a loopback socket that answers as a test tells it, and the port of a Job that waits for no pause."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from aiohttp import web
from aiohttp.test_utils import TestServer

from modelward.desired.pod_additions import Egress
from modelward.evaluate.port import ScoringReply, ScoringRequest
from modelward.job.embeddings import SharedEmbeddings
from modelward.job.port import JobPort

Answer = Callable[["Asked"], web.StreamResponse | Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Asked:
    """One request as the judge received it; `number` counts from 0."""

    number: int
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def record(self) -> dict[str, Any]:
        """The record that stands in the prompt, as JSON reads it."""
        text = self.body["messages"][-1]["content"] if "messages" in self.body else self.body["prompt"]
        line = next(line for line in reversed(text.splitlines()) if line.startswith("{"))
        found: dict[str, Any] = json.loads(line.replace("^", " "))
        return found


def said(text: str | None, *, model: str = "stand-in", finish: str = "stop", usage: bool = True) -> web.Response:
    """Return a chat's reply without probabilities."""
    choice = {"message": {"role": "assistant", "content": text}, "finish_reason": finish}
    tokens = {"usage": {"prompt_tokens": 100, "completion_tokens": 5}} if usage else {}
    return web.json_response({"model": model, "choices": [choice], **tokens})


def likely(**tokens: float) -> web.Response:
    """Return a chat's reply with the probabilities of its first token."""
    tops = [{"token": token, "logprob": math.log(p)} for token, p in tokens.items()]
    choice = {
        "message": {"role": "assistant", "content": next(iter(tokens))},
        "logprobs": {"content": [{"token": tops[0]["token"], "logprob": tops[0]["logprob"], "top_logprobs": tops}]},
        "finish_reason": "length",
    }
    return web.json_response(
        {"model": "stand-in", "choices": [choice], "usage": {"prompt_tokens": 100, "completion_tokens": 1}}
    )


@dataclass
class JudgeServer:
    """What was asked, and how many at once."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    now: int = 0
    most_at_once: int = 0


@asynccontextmanager
async def judge_server(answer: Answer) -> AsyncIterator[JudgeServer]:
    """Serve while the block runs."""
    seen = JudgeServer()

    async def handle(request: web.Request) -> web.StreamResponse:
        seen.now += 1
        seen.most_at_once = max(seen.most_at_once, seen.now)
        try:
            body = await request.json()
            one = Asked(len(seen.asked), request.path, dict(request.query), dict(request.headers), body)
            seen.asked.append(one)
            found = answer(one)
            return await found if isinstance(found, Awaitable) else found
        finally:
            seen.now -= 1

    app = web.Application()
    app.router.add_post("/{path:.*}", handle)
    async with TestServer(app) as server:
        seen.url = str(server.make_url("")).rstrip("/")
        yield seen


@dataclass(frozen=True, slots=True)
class QuickPort(JobPort):
    """The Job's port, which writes down how long it was told to wait and goes on."""

    pauses: list[float] = field(default_factory=list)
    instead: tuple[str, str] = ("", "")
    """The beginning of URLs, and the one on this machine that stands for it."""

    async def post(self, request: ScoringRequest) -> ScoringReply:
        url = request.url.replace(*self.instead, 1) if self.instead[0] else request.url
        return await JobPort.post(self, replace(request, url=url))

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await asyncio.sleep(0)


def quick_port(egress: tuple[Egress, ...], **changes: Any) -> QuickPort:
    """Return a port that may ask these addresses."""
    embeddings = SharedEmbeddings(lambda texts: np.zeros((len(texts), 384), np.float32))
    return QuickPort(embeddings, egress, **changes)
