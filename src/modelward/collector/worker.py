"""The capture worker: parses, redacts and ships what the data plane kept. It may be slow, and may die, alone."""

from __future__ import annotations

import logging
import os
import resource
import secrets
import signal
import socket
import sys
import threading
from pathlib import Path
from types import FrameType

import orjson

from modelward.api.collector_config import HUB_CA_FILE_NAME, CollectorConfig
from modelward.api.exchange import exchange_to_json
from modelward.collector import families
from modelward.collector.configuration import WatchedConfig, settings_by_hand
from modelward.collector.handover import CapturedExchange, receive
from modelward.collector.options import Options, options_from_argument
from modelward.collector.origin import write_keys
from modelward.collector.record import ExchangeRecorder
from modelward.collector.shared_metrics import SharedMetrics
from modelward.collector.shipping import HubConnection, Shipper
from modelward.collector.spool import Spool

_POLL_SECONDS = 1.0
_KEY_BY_HAND = secrets.token_bytes(32)
"""Where exchanges go into a file there is no hub to give a key: conversations group within this process only."""
_NICE = 10
"""Where cores are short the data plane goes first."""

log = logging.getLogger("modelward.collector.worker")


class Worker:
    """Takes exchanges from the data plane until it is stopped."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._board = SharedMetrics(options.worker_board_fd)
        self._counting = threading.Lock()
        self._taken = self._board.cell(families.TAKEN_BYTES)
        self._channel = socket.socket(fileno=options.handover_fd)
        self._channel.settimeout(_POLL_SECONDS)
        self._config = WatchedConfig(options.config_file)
        self._settings = CollectorConfig()
        self._recorder = ExchangeRecorder(options.endpoint_key, options.revision)
        self._shipper = None if options.capture_output else self._new_shipper()
        self._stopping = False

    def _new_shipper(self) -> Shipper:
        namespace = self._options.endpoint_key.partition("/")[0]
        origin_keys = self._board.cell(families.ORIGIN_KEYS, size=families.ORIGIN_KEY_WORDS)
        return Shipper(
            Spool(self._options.spool_dir),
            self._count,
            namespace=namespace,
            origin_keys=lambda keys: write_keys(origin_keys, keys),
        )

    def run(self) -> None:
        """Work until SIGTERM, then finish what is queued."""
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._reload(force=True)
        if self._shipper is not None:
            self._shipper.start()
        while self._step() or not self._stopping:
            if os.getppid() != self._options.supervisor_pid:
                break
        if self._shipper is not None:
            self._shipper.stop(4.0)

    def _step(self) -> bool:
        """Handle one exchange; False if none was waiting."""
        self._reload(force=False)
        try:
            parcel = receive(self._channel, self._taken)
        except TimeoutError:
            return False
        except MemoryError:
            self._count("memory", 1)
            return True
        except (OSError, ValueError, TypeError, KeyError):
            self._count("unreadable", 1)
            return True
        if parcel is None:
            self._stopping = True
            return False
        try:
            self._handle(parcel)
        except MemoryError:
            self._count("memory", 1)
        except Exception as error:  # noqa: BLE001 - one strange exchange must not cost the others
            log.warning("exchange cannot be recorded; error=%s", type(error).__name__)
            self._count("unreadable", 1)
        return True

    def _handle(self, parcel: CapturedExchange) -> None:
        content = self._settings.capture.content
        if content == "None":
            self._count("not_allowed", 1)
            return
        exchange = self._recorder.record(parcel, content, self._shipper.key if self._shipper else _KEY_BY_HAND)
        line = orjson.dumps(exchange_to_json(exchange))
        if self._shipper is not None:
            self._shipper.add(line)
        else:
            with Path(self._options.capture_output).open("ab") as output:
                output.write(line + b"\n")
            self._count("sent", 1)

    def _reload(self, *, force: bool) -> None:
        if not self._config.poll() and not force:
            return
        self._settings = settings_by_hand(self._config.current, to_file=bool(self._options.capture_output))
        if self._shipper is not None:
            url = self._settings.hub_url
            authority = self._options.hub_ca or str(Path(self._options.config_file).parent / HUB_CA_FILE_NAME)
            self._shipper.hub = HubConnection(url, self._options.token_file, authority) if url else None

    def _count(self, what: str, number: int) -> None:
        if number <= 0:
            return
        with self._counting:  # the shipper counts too, from a thread of its own
            cell = self._board.cell(families.SENT) if what == "sent" else self._board.cell(families.DROPPED, (what,))
            cell[0] += number

    def _stop(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self._stopping = True
        self._channel.settimeout(0.1)


def main(argument: str) -> None:
    """Run the worker with the options that the supervisor passed."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    options = options_from_argument(argument)
    limit = options.worker_memory_bytes
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    os.nice(_NICE)
    Worker(options).run()


if __name__ == "__main__":
    main(sys.argv[1])
