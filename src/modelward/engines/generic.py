"""The engine that users need not name: it is the one whose metrics are on the page at the usual path."""

from modelward.engines.engine import Engine

ENGINE = Engine(name="generic", title="any engine", metrics_path="/metrics")
