"""Customers: a hundred questions, some of them not about banking, asked a few at a time as streams."""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

QUESTIONS = Path(__file__).parents[1] / "questions.txt"
SYSTEM = (
    "You are the assistant of Northwind Bank. You only answer questions about banking. "
    "If a question is about anything else, say that you cannot help with it."
)
MAX_TOKENS = 28
TIMEOUT_S = 120


@dataclass(slots=True)
class Crowd:
    """Asks all questions, `at_once` at a time, each on a connection of its own so that new replicas get their share."""

    url: str
    at_once: int = 6
    answered: int = 0
    failed: int = 0
    total: int = field(init=False, default=0)

    async def ask_all(self, rounds: int = 1) -> None:
        """Ask every question `rounds` times, in an order that is the same in every run."""
        lines = QUESTIONS.read_text().splitlines() * rounds
        questions = [str(json.loads(line)["question"]) for line in lines if line.strip()]
        random.Random(7).shuffle(questions)  # noqa: S311 - an order, not a secret
        self.total = len(questions)
        waiting = iter(questions)
        async with asyncio.TaskGroup() as group:
            for _ in range(self.at_once):
                group.create_task(self._customer(waiting))

    async def _customer(self, waiting: iter[str]) -> None:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        connector = aiohttp.TCPConnector(force_close=True)
        async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
            for question in waiting:
                try:
                    await self._ask(session, question)
                    self.answered += 1
                except (aiohttp.ClientError, TimeoutError):
                    self.failed += 1

    async def _ask(self, session: aiohttp.ClientSession, question: str) -> None:
        body = {
            "model": "banking-bot",
            "messages": [{"role": "system", "content": SYSTEM}, {"role": "user", "content": question}],
            "max_tokens": MAX_TOKENS,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        async with session.post(f"{self.url}/v1/chat/completions", json=body) as response:
            response.raise_for_status()
            async for _ in response.content.iter_any():
                pass
