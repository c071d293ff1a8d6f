"""Whether a model server accepts connections is known without traffic, and only trouble that lasts is told."""

from __future__ import annotations

import asyncio
import socket

from collector_rig import run

from modelward.collector import families
from modelward.collector.metrics_recorder import MetricsRecorder
from modelward.collector.reachability import LOST_AFTER_SECONDS, Reachability
from modelward.collector.shared_metrics import SharedMetrics, new_board_fd
from modelward.collector.targets import Targets


class Watched:
    """A reachability with a clock that the test moves, one tick a second as the data plane gives them."""

    def __init__(self, port: int) -> None:
        self.now = 1_000.0
        self.board = SharedMetrics(new_board_fd("test"))
        targets = Targets([f"http://127.0.0.1:{port}"])
        self.followed = Reachability(MetricsRecorder(self.board, "r"), targets, lambda: self.now)

    @property
    def told(self) -> float | None:
        """The gauge as it is exported; None where there is none."""
        return next((values[0] for (name, _), values in self.board.read() if name == families.UPSTREAM_UP), None)

    async def seconds(self, count: int) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(count):
            self.now += 1
            self.followed.tick(loop)
            if self.followed._probe is not None:
                await self.followed._probe


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


async def listening(port: int) -> asyncio.Server:
    return await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", port)


def test_a_wrong_port_is_told_within_a_minute_though_no_request_comes() -> None:
    async def story() -> None:
        one = Watched(closed_port())
        await one.seconds(30)
        assert one.told is None, "a server that starts refuses for a while"
        await one.seconds(20)
        assert one.told == 0.0

    run(story())


def test_a_server_that_comes_back_is_told_without_a_request() -> None:
    async def story() -> None:
        port = closed_port()
        one = Watched(port)
        await one.seconds(60)
        server = await listening(port)
        await one.seconds(6)
        assert one.told == 1.0
        server.close()

    run(story())


def test_a_short_refusal_is_not_told_and_a_success_anywhere_ends_it() -> None:
    one = Watched(closed_port())
    one.followed.reached()
    one.followed.failed()
    one.now += LOST_AFTER_SECONDS - 1
    one.followed.failed()
    assert one.told == 1.0
    one.followed.reached()
    one.now += LOST_AFTER_SECONDS
    one.followed.failed()
    assert one.told == 1.0, "the time counts from the first failure after the last success"
    one.now += LOST_AFTER_SECONDS
    one.followed.failed()
    assert one.told == 0.0


def test_a_server_that_was_reached_is_left_alone() -> None:
    async def story() -> None:
        one = Watched(closed_port())
        one.followed.reached()
        await one.seconds(100)
        assert one.told == 1.0, "no connection was tried"

    run(story())
