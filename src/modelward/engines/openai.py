"""Any API in the manner of OpenAI, of which nothing but the traffic can be seen."""

from modelward.engines.engine import Engine

ENGINE = Engine(name="openai", title="an OpenAI-compatible API")
