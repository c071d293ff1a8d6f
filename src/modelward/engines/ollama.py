"""Ollama, which exports no metrics."""

from modelward.engines.engine import Engine

ENGINE = Engine(name="ollama", title="Ollama", health_path="/")
