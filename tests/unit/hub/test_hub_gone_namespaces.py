"""What is kept of a namespace goes a while after the namespace, and only on the API server's repeated word."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
import zstandard
from history_rows import NOW_MS, Clock, row
from hub_fixtures import exchange, ndjson, running_hub
from waiting import until

from modelward.api.history import MINUTE_MS, BatchKey, row_to_json
from modelward.hub.errors import HubError, HubSettingsError
from modelward.hub.gone import PATH, SAID_MS, GoneNamespaces
from modelward.hub.objects import ObjectStore
from modelward.hub.settings import gone_keep_ms
from modelward.hub_client.client import HubClient

WEEK_MS = 168 * 3_600_000
ROUND_MS = 600_000


class World:
    """What is held of which namespaces, which have endpoints, and what was erased."""

    def __init__(self, url: str = "memory://") -> None:
        self.clock, self.objects = Clock(), ObjectStore(url)
        self.held, self.ruled, self.erased = {"retail", "old"}, {"retail"}, list[str]()
        self.trouble = ""
        self.gone = self.process()

    def process(self) -> GoneNamespaces:
        """Return a hub that starts."""
        return GoneNamespaces(self.objects, self.clock, WEEK_MS, self._held, lambda: self.ruled, self._erase)

    async def _held(self) -> set[str]:
        return self.held

    async def _erase(self, namespace: str) -> None:
        if self.trouble:
            raise HubError(503, "StoreUnavailable", self.trouble)
        self.erased.append(namespace)
        self.held -= {namespace}

    async def rounds(self, number: int = 2) -> None:
        """Let the hub look after them, so often: of a clock that jumped the first one believes nothing."""
        for _ in range(number):
            self.clock.ms += ROUND_MS
            await self.gone.tidy()

    async def say(self, *gone: str) -> None:
        """Say that namespaces are gone, and that the others of which it is asked are there."""
        await self.gone.tell(gone, [name for name in self.gone.asked if name not in gone])


async def test_a_namespace_is_erased_once_when_its_time_is_over_and_it_is_still_gone() -> None:
    w = World()
    await w.rounds()
    assert w.gone.asked == ("old",), "of those with endpoints nobody has to be asked"
    await w.say("old")
    w.clock.ms += WEEK_MS - 4 * ROUND_MS
    await w.rounds()
    await w.say("old")
    assert not w.erased, "not yet"
    await w.rounds(3)
    assert w.erased == ["old"]
    await w.say("old")
    w.clock.ms += 2 * WEEK_MS
    await w.rounds()
    assert w.erased == ["old"]


async def test_silence_erases_nothing_however_long() -> None:
    """The operator is away, or may not ask: what was said long ago does not count."""
    w = World()
    await w.rounds()
    await w.say("old")
    for _ in range(3):
        w.clock.ms += WEEK_MS
        await w.rounds()
    assert not w.erased
    await w.say("old")
    w.clock.ms += SAID_MS
    await w.rounds()
    assert not w.erased, "said too long ago"
    await w.say("old")
    await w.rounds()
    assert w.erased == ["old"]


async def test_a_namespace_that_is_there_again_begins_anew() -> None:
    w = World()
    await w.rounds()
    await w.say("old")
    w.clock.ms += WEEK_MS // 2
    await w.rounds()
    await w.say()  # it was made again
    w.clock.ms += WEEK_MS
    await w.rounds()
    await w.say("old")
    await w.rounds()
    assert not w.erased
    w.ruled.add("old")
    w.clock.ms += 2 * WEEK_MS
    await w.say("old")  # by an operator that contradicts itself
    await w.rounds()
    assert not w.erased


async def test_a_restart_forgets_no_mark_and_believes_no_clock_at_once(tmp_path: Path) -> None:
    w = World(f"file://{tmp_path}")
    await w.rounds()
    await w.say("old")
    w.gone = w.process()
    await w.gone.load()
    w.clock.ms += WEEK_MS
    await w.say("old")
    await w.rounds(1)
    assert not w.erased
    await w.rounds(1)
    assert w.erased == ["old"]
    await w.objects.put(PATH, b"[]")
    w.gone = w.process()
    await w.gone.load()
    w.held |= {"old"}
    await w.say("old")
    await w.rounds()
    assert w.erased == ["old"], "marks that cannot be read begin anew"


async def test_a_store_that_fails_is_tried_again() -> None:
    w = World()
    await w.rounds()
    await w.say("old")
    w.clock.ms += WEEK_MS
    await w.say("old")
    w.trouble = "away"
    await w.rounds()
    assert not w.erased
    w.trouble = ""
    await w.rounds(1)
    assert w.erased == ["old"]


async def put_row(client: HubClient, endpoint: str, at_ms: int) -> None:
    """Put a minute of an endpoint into the history."""
    minute_ms = at_ms // MINUTE_MS * MINUTE_MS - MINUTE_MS
    line = orjson.dumps(row_to_json(row(endpoint=endpoint, minute_ms=minute_ms)))
    await client.put_history(BatchKey(endpoint, minute_ms), zstandard.compress(line))


async def test_all_that_a_hub_has_of_a_gone_namespace_goes_and_the_audit_says_so() -> None:
    clock = Clock(NOW_MS)
    async with running_hub("memory://", now=clock) as r:
        await until(lambda: r.hub.history.state == "Ready")
        for namespace in ("retail", "old"):
            await r.client.post_exchanges(ndjson(exchange(1, endpoint=f"{namespace}/chat", time_ms=clock.ms)))
            await put_row(r.client, f"{namespace}/chat", clock.ms)
        rule = {"content": "Full", "keepForSeconds": 3_600, "maxBodyBytes": 1_000, "uid": "u", "createdMs": 1}
        await r.client.put_rules({"retail/chat": rule})
        await r.hub.gone.tidy()
        assert (await r.client.overview()).asked_namespaces == ("old",)
        await r.client.tell_namespaces(["old"], [])
        clock.ms += r.hub.settings.gone_keep_ms
        for _ in range(2):
            await r.client.tell_namespaces(["old"], [])
            await r.hub.gone.tidy()
        assert set(await r.hub.history.used()) == {"retail"}
        assert {one.endpoint for one in await r.client.endpoints()} == {"retail/chat"}
        (record,) = await r.client.audit(0, "erase")
        assert (record["who"], record["object"].split()[0]) == ("hub", "old")


@pytest.mark.parametrize(("text", "hours"), [("1h", 1), ("168h", 168), ("9600h", 9_600)])
def test_how_long_what_is_gone_is_kept_is_a_duration(text: str, hours: int) -> None:
    assert gone_keep_ms(text) == hours * 3_600_000


@pytest.mark.parametrize("text", ["59m", "9601h", "0s", "a week", ""])
def test_a_time_that_could_be_a_mistake_is_refused(text: str) -> None:
    with pytest.raises(HubSettingsError):
        gone_keep_ms(text)
