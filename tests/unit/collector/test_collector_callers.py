"""Who asks is counted and recorded by name: a bounded number of names, of which none holds what a person typed."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from dataclasses import replace

import pytest
from collector_rig import CHAT, json_answer, post, rig, run
from hypothesis import given
from hypothesis import strategies as st

from modelward.api.budget import TokenPrices
from modelward.api.collector_config import (
    CallerSettings,
    CaptureSettings,
    CollectorConfig,
    PriceSettings,
    config_from_json,
    config_to_json,
)
from modelward.api.exchange import Usage
from modelward.collector import families
from modelward.collector.callers import Callers
from modelward.collector.handover import receive
from modelward.collector.model_labels import CHANGES_AT_ONCE
from modelward.collector.record import ExchangeRecorder
from modelward.collector.rendering import render
from modelward.collector.shared_metrics import BOARD_BYTES, SharedMetrics, new_board_fd
from modelward.metrics.callers import caller_sums
from modelward.metrics.exposition import parse
from modelward.privacy.short_fields import OTHER, plain_caller_name

ASKED = b'{"model":"m","messages":[{"role":"user","content":"hi"}]}'
ANSWER = b'{"id":"chatcmpl-1","model":"m","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3}}'
NAMED = CollectorConfig(
    capture=CaptureSettings("Redacted", 1_000_000), hub_url="https://hub", callers=CallerSettings("X-Team", 3)
)


@pytest.fixture
def board_fd() -> Iterator[int]:
    fd = new_board_fd("test")
    yield fd
    os.close(fd)


def callers_of(board: SharedMetrics, most: int = 3) -> Callers:
    callers = Callers(board, "r1")
    callers.configure(CallerSettings("x-team", most), PriceSettings())
    return callers


async def _answering(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(json_answer(ANSWER))


def test_requests_tokens_and_records_have_the_name_that_the_header_gives() -> None:
    async def work() -> None:
        async with rig(_answering, NAMED) as one:
            await one.ask(post(ASKED, more=b"x-TEAM: retail\r\n"))
            await one.ask(CHAT)
            assert one.value(families.CALLER_REQUESTS, caller="retail", model="m") == 1
            assert one.value(families.CALLER_REQUESTS, caller="") == 1
            assert one.value(families.CALLER_TOKENS, caller="retail", gen_ai_token_type="input") == 7
            assert one.value(families.CALLER_TOKENS, caller="retail", gen_ai_token_type="output") == 3
            page = caller_sums(parse(render(one.board.read(), {}, "r1").encode()))
            assert page == {
                ("", "requests", ""): 1,
                ("", "input_tokens", ""): 7,
                ("", "output_tokens", ""): 3,
                ("retail", "requests", ""): 1,
                ("retail", "input_tokens", ""): 7,
                ("retail", "output_tokens", ""): 3,
            }
            parcel = receive(one.worker_end, one.board.cell(families.TAKEN_BYTES))
            assert parcel is not None
            assert ExchangeRecorder("retail/chat", "r1").record(parcel, "MetadataOnly", None).caller == "retail"

    run(work())


def test_without_the_setting_no_header_is_read_and_nothing_counted() -> None:
    async def work() -> None:
        async with rig(_answering, CollectorConfig()) as one:
            await one.ask(post(ASKED, more=b"x-team: retail\r\n"))
            assert one.value(families.CALLER_REQUESTS) == 0
            assert one.value(families.REQUESTS) == 1

    run(work())


@pytest.mark.parametrize("value", ["jane.doe@example.com", "Jane Doe", "4111111111111111", "a\xff", "x" * 200, "\t"])
def test_what_holds_personal_data_or_is_no_word_counts_as_other(board_fd: int, value: str) -> None:
    callers = callers_of(SharedMetrics(board_fd))
    assert callers.name(value.encode("latin-1"), 200) == OTHER


def test_callers_beyond_the_number_count_as_other_until_they_ask_more(board_fd: int) -> None:
    callers = callers_of(SharedMetrics(board_fd))
    for name in (b"a", b"b", b"c"):
        assert [callers.name(name, 200) for _ in range(5)][-1] == name.decode()
    assert callers.name(b"d", 200) == OTHER
    assert [callers.name(b"d", 200) for _ in range(20)][-1] == "d"


def test_invented_names_push_out_no_caller_in_use_and_make_no_series_without_end(board_fd: int) -> None:
    board = SharedMetrics(board_fd)
    callers = callers_of(board, 100)
    for number in range(5_000):
        callers.count(callers.name(b"real", 200), "m", Usage(1, 1))
        callers.count(callers.name(b"invented-%d" % number, 200), "m", Usage(1, 1))
    assert callers.name(b"real", 200) == "real"
    named = {labels[0] for (name, labels), _ in board.read() if name == families.CALLER_REQUESTS}
    assert len(named) <= 100 + CHANGES_AT_ONCE + 1


def test_requests_that_fail_give_no_name(board_fd: int) -> None:
    callers = callers_of(SharedMetrics(board_fd))
    assert callers.name(b"scanner", 401) == OTHER
    assert callers.name(b"retail", 200) == "retail"
    assert callers.name(b"retail", 500) == "retail"


def test_names_outlive_a_crash_of_the_data_plane(board_fd: int) -> None:
    callers = callers_of(SharedMetrics(board_fd), 1)
    callers.count(callers.name(b"retail", 200), "m", Usage(5, 5))
    again = callers_of(SharedMetrics(board_fd), 1)
    assert again.name(b"other-team", 500) == OTHER
    assert again.name(b"retail", 500) == "retail"


def test_a_full_house_of_callers_and_models_fits_beside_everything_else(board_fd: int) -> None:
    board = SharedMetrics(board_fd)
    callers = callers_of(board, 100)
    for number in range(100):
        for model in range(21):
            callers.count(callers.name(b"caller-%d" % number, 200), f"m{model}", Usage(1, 1))
    kept = {labels[0] for (name, labels), _ in board.read() if name == families.CALLER_TOKENS}
    assert len(kept) > 10, BOARD_BYTES


@given(st.text(max_size=80))
def test_no_name_leaves_that_is_not_one_plain_word(name: str) -> None:
    plain = plain_caller_name(name)
    assert plain == OTHER or (plain == name and plain.isascii() and " " not in plain)


def test_the_setting_travels_in_the_mounted_configuration() -> None:
    read = config_from_json(json.loads(json.dumps(config_to_json(NAMED))))
    assert (read.callers, read.unreadable) == (NAMED.callers, ())
    assert config_from_json(config_to_json(CollectorConfig())).callers == CallerSettings()
    broken = {**config_to_json(NAMED), "callers": {"header": 7, "most": 1_000}}
    found = config_from_json(broken)
    assert (found.callers.header, found.callers.most) == ("", 100)
    assert {"callers.header", "callers.most"} == {*found.unreadable}


PRICES = PriceSettings({"m": TokenPrices("USD", 2_000_000, 10_000_000, 1_000_000)})


def test_what_a_caller_asks_costs_what_its_model_does_and_cached_input_less(board_fd: int) -> None:
    board = SharedMetrics(board_fd)
    callers = callers_of(board)
    callers.configure(CallerSettings("x-team", 3), PRICES)
    callers.count("retail", "m", Usage(1_000_000, 100_000, 400_000))
    callers.count("retail", "unknown", Usage(5, 5))
    callers.count("retail", "m", Usage())
    callers.count("retail", "m", Usage(), served=False)
    callers.count("retail", "m", Usage(1_000_000))
    told = {(name, *labels): values[0] for (name, labels), values in board.read() if "caller" in name}
    assert told[families.CALLER_COST, "retail", "m", "r1", "USD"] == pytest.approx(1.2 + 0.4 + 1 + 2)
    assert told[families.CALLER_UNPRICED, "retail", "unknown", "r1", "NoPrice"] == 1
    assert told[families.CALLER_UNPRICED, "retail", "m", "r1", "NoUsage"] == 1, "a refused request used no tokens"


def test_prices_travel_with_callers_and_only_with_them() -> None:
    config = replace(NAMED, prices=PRICES)
    read = config_from_json(json.loads(json.dumps(config_to_json(config))))
    assert (read.prices, read.unreadable) == (PRICES, ())
    plain = replace(config, callers=CallerSettings())
    assert config_to_json(plain) == config_to_json(replace(plain, prices=PriceSettings())), "nothing to reload"
    broken = config_from_json({**config_to_json(config), "prices": {"m": ["USD", -1, 2, None]}})
    assert (broken.prices, broken.unreadable) == (PriceSettings(), ("prices",))
