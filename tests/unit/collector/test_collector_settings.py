"""The configuration file, the upstream file, the counters in shared memory and their text."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.api.collector_config import (
    SMALLEST_MEMORY_BYTES,
    CaptureSettings,
    CollectorConfig,
    config_to_json,
)
from modelward.collector import families
from modelward.collector.command import main, options_from, parser
from modelward.collector.configuration import WatchedConfig
from modelward.collector.engine import EngineScrape
from modelward.collector.expiry import Expiry
from modelward.collector.memory_budget import PROCESSES_BYTES, budget_bytes
from modelward.collector.memory_pressure import limit_bytes, used_share
from modelward.collector.metrics_recorder import observe
from modelward.collector.options import Options, options_from_argument, options_to_argument
from modelward.collector.rendering import render
from modelward.collector.request_head import BadRequestError, RequestHead
from modelward.collector.request_target import readdressed
from modelward.collector.shared_metrics import BOARD_BYTES, SharedMetrics, new_board_fd
from modelward.collector.targets import Targets, first_url
from modelward.metrics.exposition import parse


def write(path: Path, config: CollectorConfig) -> None:
    partial = path.with_suffix(".new")
    partial.write_text(json.dumps(config_to_json(config)))
    partial.rename(path)


def test_the_last_good_configuration_stays_when_a_broken_one_comes(tmp_path: Path) -> None:
    path = tmp_path / "collector.json"
    watched = WatchedConfig(str(path))
    assert not watched.poll()
    assert watched.current == CollectorConfig()
    write(path, CollectorConfig(capture=CaptureSettings(sample_ppm=5)))
    assert watched.poll()
    assert not watched.poll()
    path.write_text("{broken")
    assert not watched.poll()
    assert (watched.current.capture.sample_ppm, watched.errors) == (5, 1)
    write(path, CollectorConfig(capture=CaptureSettings(sample_ppm=6)))
    assert watched.poll()
    assert watched.current.capture.sample_ppm == 6


def test_a_configuration_that_is_taken_away_stops_capturing(tmp_path: Path) -> None:
    path = tmp_path / "collector.json"
    write(path, CollectorConfig(capture=CaptureSettings(sample_ppm=5)))
    watched = WatchedConfig(str(path))
    assert watched.poll()
    path.unlink()
    assert [watched.poll() for _ in range(4)] == [False, False, True, False]
    assert watched.current == CollectorConfig()


def test_a_configmap_mount_that_swaps_its_links_is_noticed(tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / f"v{number}").mkdir()
        write(tmp_path / f"v{number}" / "collector.json", CollectorConfig(capture=CaptureSettings(sample_ppm=number)))
    (tmp_path / "..data").symlink_to("v1")
    (tmp_path / "collector.json").symlink_to("..data/collector.json")
    watched = WatchedConfig(str(tmp_path / "collector.json"))
    assert watched.poll()
    (tmp_path / "new").symlink_to("v2")
    (tmp_path / "new").rename(tmp_path / "..data")
    assert watched.poll()
    assert watched.current.capture.sample_ppm == 2


def test_a_changed_upstream_file_replaces_the_servers_and_a_broken_one_does_not(tmp_path: Path) -> None:
    path = tmp_path / "upstreams.json"
    targets = Targets([], str(path))
    targets.reload()
    assert targets.choose(0.0) is None
    path.write_text('{"upstreams": ["http://a:1", "http://b:2"]}')
    targets.reload()
    assert len(targets) == 2
    assert first_url((), str(path)) == "http://a:1"
    path.write_text('{"upstreams": [1]}')
    targets.reload()
    assert (len(targets), targets.errors) == (2, 1)
    path.write_text('{"upstreams": ["http://b:2"]}')
    targets.reload()
    chosen = targets.choose(0.0)
    assert chosen is not None
    assert chosen.url == "http://b:2"


def test_the_server_with_the_least_in_flight_is_taken() -> None:
    targets = Targets(["http://a:1", "http://b:2"])
    first = targets.choose(0.0)
    assert first is not None
    first.in_flight += 1
    assert all(targets.choose(0.0) is not first for _ in range(4))
    other = targets.choose(0.0)
    assert other is not None
    targets.refused(other, 0.0)
    assert targets.choose(0.0) is first
    assert targets.choose(0.0, frozenset((first.url,))) is other


def test_counters_survive_their_writer_and_render_as_text_that_parses() -> None:
    fd = new_board_fd("test")
    board = SharedMetrics(fd)
    family = families.FAMILIES[families.TTFT]
    cell = board.cell(family.name, ('m"\\\n', "r"), family.size)
    for value in (0.002, 0.3, 500.0):
        observe(cell, family.bounds, value)
    SharedMetrics(fd).cell(family.name, ('m"\\\n', "r"), family.size)[0] += 1
    board.cell(families.CONFIG_INFO, ("old",))[0] = 0
    board.cell(families.CONFIG_INFO, ("new",))[0] = 1
    text = render(board.read(), {"modelward_engine_up": 1.0}, "r")
    page = parse(text.encode())
    counts = page.of(f"{family.name}_count")
    assert counts[0].value == 4
    assert counts[0].labels["model"] == 'm"\\\n'
    assert page.of(f"{family.name}_sum")[0].value == pytest.approx(500.302)
    assert [s.labels["generation"] for s in page.of(families.CONFIG_INFO)] == ["new"]
    assert page.of("modelward_engine_up")[0].value == 1
    assert "endpoint" not in counts[0].labels
    named = parse(render(board.read(), {"modelward_engine_up": 1.0}, "r", "chat").encode())
    assert {one.labels["endpoint"] for samples in named.samples.values() for one in samples} == {"chat"}
    os.close(fd)


def test_a_full_board_loses_new_series_and_nothing_else() -> None:
    fd = new_board_fd("test")
    board = SharedMetrics(fd)
    more = BOARD_BYTES // 50  # a series takes more
    for number in range(more):
        board.cell(families.REFUSED, (str(number),))[0] += 1
    assert len(board.read()) < more
    assert all(values == [1.0] for _, values in board.read())
    os.close(fd)


def test_members_expire_in_order_and_only_when_due() -> None:
    expiry: Expiry[str] = Expiry(10.0)
    expiry.join("a", 0.0)
    expiry.join("b", 1.0)
    expiry.join("a", 5.0)
    assert expiry.expired(11.0) == ["b"]
    expiry.leave("a")
    assert expiry.expired(99.0) == []


def test_memory_is_read_from_either_cgroup_layout(tmp_path: Path) -> None:
    assert used_share(tmp_path) == 0.0
    (tmp_path / "memory.current").write_text("900")
    (tmp_path / "memory.max").write_text("1000")
    (tmp_path / "memory.stat").write_text("anon 1\ninactive_file 100\n")
    assert used_share(tmp_path) == 0.8
    (tmp_path / "memory.max").write_text("max")
    assert used_share(tmp_path) == 0.0


MI = 1024 * 1024


@pytest.mark.parametrize(
    ("limit", "budget"),
    [
        (None, 64 * MI),
        (512 * MI, 64 * MI),
        (192 * MI, 64 * MI),
        (192 * MI - 2, 64 * MI - 1),
        (128 * MI, 32 * MI),
        (80 * MI, 8 * MI),
        (72 * MI, 4 * MI),
        (64 * MI, 4 * MI),
        (1, 4 * MI),
    ],
)
def test_the_budget_fits_into_the_containers_memory_beside_its_processes(limit: int | None, budget: int) -> None:
    assert budget_bytes(limit) == budget
    if limit is not None and limit >= SMALLEST_MEMORY_BYTES:
        assert PROCESSES_BYTES + 2 * budget <= limit


def test_the_limit_is_read_from_either_cgroup_layout(tmp_path: Path) -> None:
    assert limit_bytes(tmp_path) is None
    (tmp_path / "memory").mkdir()
    (tmp_path / "memory" / "memory.limit_in_bytes").write_text("9223372036854771712\n")
    assert limit_bytes(tmp_path) is None
    (tmp_path / "memory" / "memory.limit_in_bytes").write_text(f"{96 * MI}\n")
    assert limit_bytes(tmp_path) == 96 * MI
    (tmp_path / "memory.max").write_text(f"{128 * MI}\n")
    assert limit_bytes(tmp_path) == 128 * MI
    (tmp_path / "memory.max").write_text("max\n")
    assert limit_bytes(tmp_path) is None


def test_options_reach_the_other_processes_unchanged() -> None:
    made = parser()
    given = made.parse_args(["--upstream", "http://a:1", "--upstream", "http://b:2", "--drain-seconds", "7"])
    options = options_from(made, given)
    assert options_from_argument(options_to_argument(options)) == options
    assert (options.upstreams, options.drain_seconds) == (("http://a:1", "http://b:2"), 7.0)


@pytest.mark.parametrize(
    "argv",
    [[], ["--upstream", "ftp://a", "--listen", "127.0.0.1:0"], ["--upstream", "http://a", "--listen", "nowhere"],
     ["--upstream", "http://a", "--upstream-file", "f"]],
)  # fmt: skip
def test_a_command_line_that_cannot_work_is_refused_with_a_reason(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(argv)
    assert "error:" in capsys.readouterr().err


def test_an_engine_that_does_not_answer_is_down_and_says_nothing_else() -> None:
    scrape = EngineScrape(Options(engine="vllm", engine_metrics_url="http://127.0.0.1:9/metrics"))
    scrape.scrape_once()
    assert scrape.values == {"modelward_engine_up": 0.0}
    silent = EngineScrape(Options(engine="ollama"))
    silent.scrape_once()
    assert silent.values == {}
    assert scrape.name == silent.name == ""


def test_a_generic_engine_is_named_by_its_page_and_keeps_its_name_while_it_does_not_answer() -> None:
    with serving(b"llamacpp:requests_deferred 3\nllamacpp:requests_processing 1\n") as url:
        scrape = EngineScrape(Options(engine="generic", engine_metrics_url=url))
        scrape.scrape_once()
        assert (scrape.name, scrape.waiting) == ("llamacpp", 3.0)
    scrape.scrape_once()
    assert (scrape.name, scrape.values) == ("llamacpp", {"modelward_engine_up": 0.0})


@contextmanager
def serving(page: bytes) -> Iterator[str]:
    """A page over HTTP; yields its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/metrics"
        server.shutdown()
        thread.join()


@given(st.binary(max_size=300))
def test_any_head_is_read_or_refused(garbage: bytes) -> None:
    with contextlib.suppress(BadRequestError):
        read = RequestHead(b"GET / HTTP/1.1\r\n" + garbage + b"\r\n\r\n")
        assert (read.method, read.path) == (b"GET", b"/")


def test_readdressing_keeps_what_already_has_the_prefix() -> None:
    head = b"POST /v1/chat HTTP/1.1\r\nHost: old\r\nA: b\r\n\r\n"
    assert readdressed(head, b"api", b"/v1") == b"POST /v1/chat HTTP/1.1\r\nHost: api\r\nA: b\r\n\r\n"
    assert readdressed(head, b"api", b"/x").startswith(b"POST /x/v1/chat ")


def test_a_mark_of_origin_is_not_told_to_an_api_of_others() -> None:
    head = b"POST /v1/chat HTTP/1.1\r\nHost: old\r\nX-Modelward-Origin: v1.judge.1.0\r\nA: b\r\n\r\n"
    assert readdressed(head, b"api", b"/v1") == b"POST /v1/chat HTTP/1.1\r\nHost: api\r\nA: b\r\n\r\n"
