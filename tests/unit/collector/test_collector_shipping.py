"""Records reach the hub, wait for it within limits, or are dropped and counted; nothing grows without bound."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import zstandard

from modelward.collector.shipping import WAITING_BYTES, HubConnection, Shipper
from modelward.collector.spool import Spool


class FakeHub:
    """A plain HTTP hub that answers as it is told."""

    def __init__(self) -> None:
        self.status = 202
        self.poison = b"poison"
        self.lines: list[bytes] = []
        self.tokens: list[str] = []
        self.asked: list[str] = []
        self.key = b'{"key": "%s"}' % (b"ab" * 32)
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                lines = zstandard.ZstdDecompressor().decompressobj().decompress(body).splitlines()
                hub.tokens.append(self.headers.get("Authorization", ""))
                status = 500 if hub.poison in lines else hub.status
                if status == 202:
                    hub.lines += lines
                self.send_response(status)
                self.end_headers()
                self.wfile.write(b'{"accepted": %d, "rejected": 0}' % len(lines))

            def do_GET(self) -> None:
                hub.asked.append(self.path)
                self.send_response(hub.status if hub.status != 202 else 200)
                self.end_headers()
                self.wfile.write(hub.key)

            def log_message(self, *_: object) -> None:
                return

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    one = FakeHub()
    yield one
    one.server.shutdown()
    one.server.server_close()


class Counts:
    """Collects what a shipper counts."""

    def __init__(self) -> None:
        self.by_name: Counter[str] = Counter()

    def __call__(self, name: str, number: int) -> None:
        self.by_name[name] += number


def make(tmp_path: Path, hub: FakeHub | None, limit: int = 10_000_000) -> tuple[Shipper, Counts]:
    counts = Counts()
    shipper = Shipper(Spool(str(tmp_path / "spool"), limit), counts, batch_seconds=0.01)
    token = tmp_path / "token"
    token.write_text("first")
    if hub is not None:
        shipper.hub = HubConnection(hub.url, str(token), "")
    return shipper, counts


def test_records_arrive_and_the_token_is_read_for_each_batch(tmp_path: Path, hub: FakeHub) -> None:
    shipper, counts = make(tmp_path, hub)
    shipper.add(b"1")
    shipper.ship_once()
    (tmp_path / "token").write_text("second")
    shipper.add(b"2")
    shipper.ship_once()
    assert hub.lines == [b"1", b"2"]
    assert hub.tokens == ["Bearer first", "Bearer second"]
    assert counts.by_name["sent"] == 2


def of_retail(tmp_path: Path, hub: FakeHub) -> Shipper:
    shipper = Shipper(Spool(str(tmp_path / "spool")), Counts(), batch_seconds=0.01, namespace="retail")
    shipper.hub = HubConnection(hub.url, str(tmp_path / "token"), "")
    return shipper


def test_the_key_is_asked_for_once_an_hour_and_outlives_a_hub_that_is_away(tmp_path: Path, hub: FakeHub) -> None:
    shipper = of_retail(tmp_path, hub)
    shipper.ship_once()
    shipper.ship_once()
    assert (shipper.key, hub.asked) == (b"\xab" * 32, ["/v1/keys/retail"])
    hub.status, shipper._key_due = 503, 0.0
    shipper.ship_once()
    assert (shipper.key, len(hub.asked)) == (b"\xab" * 32, 2)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()], "it is in memory only"


@pytest.mark.parametrize("answer", [b"", b"{}", b'{"key": "xyz"}', b'{"key": "ab"}', b'{"key": 5}', b"[1]"])
def test_a_hub_without_a_key_leaves_none(tmp_path: Path, hub: FakeHub, answer: bytes) -> None:
    shipper = of_retail(tmp_path, hub)
    hub.key = answer
    shipper.add(b"1")
    shipper.ship_once()
    assert shipper.key is None
    assert hub.lines == [b"1"]


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_records_wait_on_disk_while_the_hub_is_away(tmp_path: Path, hub: FakeHub, status: int) -> None:
    shipper, counts = make(tmp_path, hub)
    hub.status = status
    for number in range(3):
        shipper.add(b"%d" % number)
        shipper.ship_once()
    assert counts.by_name["sent"] == 0
    assert len(hub.tokens) == 1  # it backs off rather than knocking for every batch
    hub.status = 202
    again, counts = make(tmp_path, hub)  # and another process takes over what waits
    again.ship_once()
    assert hub.lines == [b"0", b"1", b"2"]
    assert counts.by_name["sent"] == 3


def test_a_batch_that_is_refused_for_good_is_dropped(tmp_path: Path, hub: FakeHub) -> None:
    shipper, counts = make(tmp_path, hub)
    hub.status = 400
    shipper.add(b"1")
    shipper.ship_once()
    assert counts.by_name == Counter(rejected=1)


def ship_at_once(shipper: Shipper, times: int) -> None:
    """Ship as if every pause were over."""
    for _ in range(times):
        shipper._not_before = 0.0
        shipper.ship_once()


def test_a_batch_that_the_hub_always_fails_over_holds_up_no_other_and_is_given_up(tmp_path: Path, hub: FakeHub) -> None:
    shipper, counts = make(tmp_path, hub)
    shipper.add(b"poison")
    ship_at_once(shipper, 2)
    for number in range(6):
        shipper.add(b"%d" % number)
        ship_at_once(shipper, 2)
    assert hub.lines == [b"%d" % number for number in range(6)]
    assert counts.by_name == Counter(sent=6, rejected=1)
    assert len(shipper._spool) == 0


def test_a_hub_that_fails_over_everything_loses_nothing(tmp_path: Path, hub: FakeHub) -> None:
    shipper, counts = make(tmp_path, hub)
    hub.status = 500
    for number in range(3):
        shipper.add(b"%d" % number)
        ship_at_once(shipper, 5)
    hub.status = 202
    ship_at_once(shipper, 1)
    assert sorted(hub.lines) == [b"0", b"1", b"2"]
    assert counts.by_name == Counter(sent=3, rejected=0)


def test_the_spool_keeps_the_newest_within_its_limit(tmp_path: Path) -> None:
    spool = Spool(str(tmp_path), 1000)
    for number in range(20):
        spool.put(bytes([number]) * 100, 5)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 1000
    assert spool.dropped == 50
    assert spool.oldest() == (bytes([10]) * 100, 5)


def test_a_disk_that_takes_nothing_costs_records_only(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("not a directory")
    shipper, counts = make(tmp_path, None)
    shipper.add(b"1")
    shipper.ship_once()
    assert counts.by_name == Counter(spool_error=1)


def test_memory_for_waiting_records_is_bounded(tmp_path: Path) -> None:
    shipper, counts = make(tmp_path, None)
    for _ in range(12):
        shipper.add(b"x" * (WAITING_BYTES // 10))
    assert counts.by_name["backlog"] == 2
