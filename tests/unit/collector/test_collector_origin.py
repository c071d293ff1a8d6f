"""Traffic with a signed mark is counted by itself, and nothing of it is taken for a user's; any other mark is none."""

from __future__ import annotations

import pytest
from collector_rig import (
    CHAT,
    DONE,
    STREAM_HEAD,
    TOKEN,
    USAGE,
    Rig,
    chunk,
    json_answer,
    post,
    read_answer,
    rig,
    run,
)
from raw_server import raw_server
from waiting import until

from modelward.api.collector_config import CaptureSettings, CollectorConfig
from modelward.api.origin import origin_key, signed_mark
from modelward.collector import families
from modelward.collector.origin import MarkedTraffic, read_keys, write_keys
from modelward.collector.shared_metrics import SharedMetrics, new_board_fd
from modelward.collector.targets import Targets

KEY = origin_key(b"k" * 32)
NOW = 1_790_000_000
BODY = b'{"model":"m","messages":[{"role":"user","content":"hi"}]}'
OK = json_answer(b'{"id":"c1","model":"m","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3}}')
FAILS = json_answer(b"{}", b"500 Internal Server Error")
STREAM = STREAM_HEAD + chunk(TOKEN) + chunk(USAGE) + chunk(DONE) + b"0\r\n\r\n"
ALL = CollectorConfig(capture=CaptureSettings(content="Full", sample_ppm=1_000_000, always_errors=True))


def marked(mark: str) -> bytes:
    return post(BODY, more=b"X-Modelward-Origin: %b\r\n" % mark.encode())


async def answered(one: Rig, request: bytes, size: int) -> None:
    one.proxy.marked = MarkedTraffic(one.proxy.recorder, lambda: (KEY,), lambda: NOW)
    reader, writer = await one.connect()
    writer.write(request)
    await reader.readexactly(size)
    await until(lambda: one.value(families.REQUESTS) + one.value(families.MARKED_REQUESTS) == 1)
    writer.close()


@pytest.mark.parametrize("answer", [OK, FAILS, STREAM], ids=["answer", "error", "stream"])
@pytest.mark.parametrize("origin", ["probe", "golden", "judge"])
def test_marked_traffic_is_in_series_of_its_own(answer: bytes, origin: str) -> None:
    async def work() -> None:
        with raw_server(answer) as server:
            async with rig(None, ALL, targets=Targets([f"http://127.0.0.1:{server.port}"])) as one:
                mark = signed_mark(origin, NOW + 60, KEY)  # type: ignore[arg-type]
                await answered(one, marked(mark), len(answer))
                assert one.value(families.MARKED_REQUESTS, origin=origin) == 1
                assert one.value(families.MARKED_IN_FLIGHT) == 0
                for name in (families.REQUESTS, families.STARTED, families.IN_FLIGHT, families.CAPTURED,
                             families.OBSERVER_ERRORS, families.CHUNKS):  # fmt: skip
                    assert one.value(name) == 0, name
                found = [key for key, _ in one.board.read()]
                assert not [key for key in found if key[0] in (families.TTFT, families.DURATION, families.TOKENS)]
                if answer is not FAILS:
                    assert tokens(one, "input") == 7
                    assert tokens(one, "output") == 3

    run(work())


@pytest.mark.parametrize(
    "mark",
    [
        "probe",
        "v1.probe.9999999999.00000000000000000000000000000000",
        signed_mark("probe", 1_000, KEY),
        signed_mark("probe", NOW + 60, origin_key(b"of another namespace")),
        "x" * 4_000,
    ],
    ids=["unsigned", "forged", "expired", "of another namespace", "long"],
)
def test_who_hides_behind_a_mark_of_no_worth_is_counted_as_a_user(mark: str) -> None:
    async def work() -> None:
        with raw_server(OK) as server:
            async with rig(None, ALL, targets=Targets([f"http://127.0.0.1:{server.port}"])) as one:
                await answered(one, marked(mark), len(OK))
                assert one.value(families.REQUESTS, outcome="ok") == 1
                assert one.value(families.MARKED_REQUESTS) == 0
                assert one.value(families.CAPTURED) == 1

    run(work())


def test_a_marked_request_in_flight_is_load_and_no_users() -> None:
    async def work() -> None:
        with raw_server(STREAM_HEAD + chunk(TOKEN)) as server:
            async with rig(None, targets=Targets([f"http://127.0.0.1:{server.port}"])) as one:
                one.proxy.marked = MarkedTraffic(one.proxy.recorder, lambda: (KEY,), lambda: NOW)
                reader, writer = await one.connect()
                writer.write(marked(signed_mark("judge", NOW + 60, KEY)))
                await reader.readuntil(TOKEN)
                assert (one.value(families.MARKED_IN_FLIGHT), one.value(families.IN_FLIGHT)) == (1, 0)
                writer.close()
                await until(lambda: one.value(families.MARKED_IN_FLIGHT) == 0)
                assert one.value(families.MARKED_REQUESTS, outcome="cancelled") == 1

    run(work())


def test_the_next_request_of_a_connection_has_a_mark_of_its_own_or_none() -> None:
    async def work() -> None:
        with raw_server(OK) as server:
            async with rig(None, targets=Targets([f"http://127.0.0.1:{server.port}"])) as one:
                one.proxy.marked = MarkedTraffic(one.proxy.recorder, lambda: (KEY,), lambda: NOW)
                reader, writer = await one.connect()
                for request in (marked(signed_mark("judge", NOW + 60, KEY)), CHAT):
                    writer.write(request)
                    await read_answer(reader)
                await until(lambda: one.value(families.REQUESTS) == 1)
                assert one.value(families.MARKED_REQUESTS) == 1
                writer.close()

    run(work())


def test_keys_reach_the_data_plane_through_shared_memory() -> None:
    fd = new_board_fd("keys")
    ours = SharedMetrics(fd).cell(families.ORIGIN_KEYS, size=families.ORIGIN_KEY_WORDS)
    theirs = SharedMetrics(fd).cell(families.ORIGIN_KEYS, size=families.ORIGIN_KEY_WORDS)
    assert read_keys(theirs) == ()
    write_keys(ours, (KEY,))
    assert read_keys(theirs) == (KEY,)
    other = origin_key(b"next")
    write_keys(ours, (other, KEY, b"x" * 32))
    assert read_keys(theirs) == (other, KEY)
    write_keys(ours, ())
    assert read_keys(theirs) == ()


def tokens(one: Rig, kind: str) -> float:
    """The sum of a histogram's values, which is its last."""
    return sum(
        values[-1]
        for (name, labels), values in one.board.read()
        if name == families.MARKED_TOKENS and labels[2] == kind
    )
