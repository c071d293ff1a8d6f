"""Every engine by its name: the CRD's enum, the help of the command line and the tables of the docs come from here."""

from __future__ import annotations

from modelward.engines import generic, llamacpp, ollama, openai, sglang, tgi, trtllm, vllm
from modelward.engines.engine import Engine

_MODULES = (vllm, sglang, tgi, trtllm, llamacpp, ollama, openai, generic)
"""In the order of the API's enum; a new one goes before `ollama`."""
ENGINES: dict[str, Engine] = {module.ENGINE.name: module.ENGINE for module in _MODULES}
GENERIC = generic.ENGINE.name


def engine_named(name: str) -> Engine:
    """Return the engine of this name; one that is not known, as of a later release, exports nothing that is."""
    return ENGINES.get(name) or Engine(name, name)
