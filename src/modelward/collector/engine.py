"""Reading the model server's own metrics, bounded in time and size, under names that do not depend on the engine."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping

from modelward.collector.configuration import WatchedConfig
from modelward.collector.families import ENGINE_UP
from modelward.collector.metrics_page import PageProblemError, read_page
from modelward.collector.options import Options

EVERY_SECONDS = 5.0
WAITING = "modelward_engine_requests_waiting"
"""As in `modelward.metrics.dialects`, which is loaded only where there is an engine to read."""
TIMEOUT_SECONDS = 2.0
MAX_BYTES = 2_000_000

log = logging.getLogger("modelward.collector.engine")


class EngineScrape:
    """Scrapes in a thread; `values` holds the last reading, empty where there is nothing to scrape.

    A failed reading leaves `modelward_engine_up 0` and no other value: what is not known is not shown. `problem` then
    is why, in a word: that of PageProblemError, or Unusable for a page without a number that this engine is known by.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self._config = WatchedConfig(options.config_file)
        self._wake = threading.Event()
        self.values: Mapping[str, float] = {}
        self.problem = ""
        self.name = ""
        """What the page was last taken for; it stays while the page cannot be read."""

    @property
    def waiting(self) -> float:
        """Requests in the engine's queue as last read; 0 where the engine does not say."""
        return self.values.get(WAITING, 0.0)

    def start(self) -> None:
        """Begin to scrape."""
        threading.Thread(target=self._run, name="engine-scrape", daemon=True).start()

    def scrape_once(self) -> None:
        """Read the engine's page once."""
        self._config.poll()
        kind = self._options.engine or self._config.current.engine
        url = self._options.engine_metrics_url or self._config.current.engine_metrics_url
        try:
            values, problem = self._read(kind, url) if url else {}, ""
        except PageProblemError as error:
            values, problem = {ENGINE_UP: 0.0}, str(error)
        if problem != self.problem:
            log.log(logging.WARNING if problem else logging.INFO, "engine scrape; problem=%s", problem or "none")
        self.values, self.problem = values, problem

    def _read(self, kind: str, url: str) -> Mapping[str, float]:
        from modelward.metrics import dialects, exposition

        page = read_page(url, TIMEOUT_SECONDS, MAX_BYTES)
        try:
            families = exposition.parse(page, max_bytes=MAX_BYTES)
        except exposition.PageTooLargeError:
            raise PageProblemError("TooLarge") from None
        except exposition.ParseError:
            raise PageProblemError("BadContent") from None
        values, name = dialects.neutral(families, kind), dialects.recognised(kind, families)
        if not values and kind in dialects.speaking():
            raise PageProblemError("Unusable")
        if name in dialects.speaking():
            self.name = name
        return {**values, ENGINE_UP: 1.0}

    def _run(self) -> None:
        while True:
            try:
                self.scrape_once()
            except Exception as error:  # noqa: BLE001 - the engine's page is foreign input; the supervisor must live
                log.warning("engine scrape failed; error=%s", type(error).__name__)
                self.values, self.problem = {ENGINE_UP: 0.0}, "BadContent"
            self._wake.wait(EVERY_SECONDS)
