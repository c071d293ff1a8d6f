"""`modelward erase` asks, erases, counts, and says the next step where it cannot."""

from __future__ import annotations

import asyncio

import pytest
from hub_fixtures import Running, exchange, ndjson, running_hub
from typer.testing import CliRunner, Result

from modelward.cli.app import app

ENGINES = "chatcmpl-b8f7c9a0d1e24f3a9b5c6d7e8f901a2b"
TALK = "0123456789abcdef" * 2
COUNTS, ALL_BUT_TEXT = "counts and verdicts", "counts, verdicts and history"


async def run(hub: Running | None, *arguments: str, typed: str = "") -> Result:
    where = ["--hub-url", f"http://127.0.0.1:{hub.hub.ports[0]}"] if hub else []
    return await asyncio.to_thread(CliRunner().invoke, app, ["erase", *arguments, *where], typed)


async def left(hub: Running) -> int:
    return sum(one.exchanges for one in await hub.client.endpoints())


async def three(hub: Running) -> None:
    await hub.client.post_exchanges(
        ndjson(exchange(1, id=ENGINES, conversation=TALK), exchange(2), exchange(3, endpoint="retail/mail"))
    )


@pytest.mark.parametrize(
    ("arguments", "gone"),
    [
        (("exchange", "retail/chat", ENGINES), 1),
        (("conversation", "retail", TALK), 1),
        (("conversation", "retail/mail", TALK), 0),
        (("endpoint", "retail/chat"), 2),
        (("namespace", "retail"), 3),
    ],
)
async def test_it_shows_how_much_asks_erases_and_prints_counts(arguments: tuple[str, ...], gone: int) -> None:
    async with running_hub("memory://") as hub:
        await three(hub)
        counted = await run(hub, *arguments, "--dry-run")
        assert (counted.exit_code, f": {gone} exchanges\n" in counted.stdout) == (0, True)
        refused = await run(hub, *arguments, typed="n\n")
        assert refused.exit_code == 1
        assert await left(hub) == 3
        done = await run(hub, *arguments, "--by", "ticket-7", typed="y\n")
        assert done.exit_code == 0
        assert f"{gone} exchanges, 0 examples in results" in done.stdout
        assert await left(hub) == 3 - gone
        assert [(one["by"], one["count"]) for one in await hub.client.audit(0, "erase")] == [("ticket-7", gone)]
        again = await run(hub, *arguments, "--yes")
        assert (again.exit_code, "for good?" in again.stdout) == (0, False)


@pytest.mark.parametrize(
    ("arguments", "goes", "stays"),
    [
        (("exchange", "retail/chat", ENGINES), "one exchange of retail/chat, with scores", ALL_BUT_TEXT),
        (("conversation", "retail", TALK), "one conversation in retail, with scores", ALL_BUT_TEXT),
        (("endpoint", "retail/chat"), "all exchanges of endpoint retail/chat, with scores", ALL_BUT_TEXT),
        (("namespace", "retail"), "all exchanges of namespace retail, with scores and labels, and its history", COUNTS),
    ],
)
async def test_before_it_asks_it_says_what_goes_and_what_stays(
    arguments: tuple[str, ...], goes: str, stays: str
) -> None:
    async with running_hub("memory://") as hub:
        await three(hub)
        asked = (await run(hub, *arguments, typed="n\n")).stdout.splitlines()
        assert (asked[0].startswith(f"goes: {goes}"), asked[1]) == (True, f"stays: {stays}")
        assert asked[2].startswith("Erase for good?")
        assert (await run(hub, *arguments, "--dry-run")).stdout.splitlines() == asked[:2]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("exchange", "chat", "e1"), "retail/chat"),
        (("endpoint", "retail/Chat!", "--yes"), "the hub refuses"),
    ],
)
async def test_what_is_no_target_is_told_with_the_good_form(arguments: tuple[str, ...], said: str) -> None:
    async with running_hub("memory://") as hub:
        await three(hub)
        result = await run(hub, *arguments)
        assert result.exit_code == 2
        assert said in result.output
        assert await left(hub) == 3


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "no hub is known"),
        ("https://modelward-hub:8443", "only the operator's account may erase"),
        ("http://127.0.0.1:9", "run the same command again"),
    ],
)
async def test_outside_the_operators_pod_the_next_step_is_named(
    url: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODELWARD_HUB_URL", url)
    result = await run(None, "namespace", "retail", "--yes")
    assert result.exit_code == 2
    assert said in result.output


async def test_its_help_teaches_where_it_runs() -> None:
    result = await run(None, "--help")
    assert "kubectl exec" in result.stdout
    assert "dry-run" in result.stdout
