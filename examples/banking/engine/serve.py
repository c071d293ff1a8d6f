"""A real model behind the OpenAI API: llama.cpp with SmolLM2-135M-Instruct, on every CPU in half a second.

Serves /v1/chat/completions (also streamed, with usage), /v1/models, /metrics and /health. The model is told nothing:
the chatbot's system prompt comes with each request.
"""

import argparse
import os
import signal
from collections.abc import Sequence
from typing import Any


def options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """What a Deployment may want to set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model", default="/models/model.gguf", help="GGUF file")
    parser.add_argument("--alias", default="banking-bot", help="name of the model in requests and answers")
    parser.add_argument("--host", default="0.0.0.0", help="address to listen on")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--parallel", type=int, default=4, help="requests served at once; further ones wait")
    parser.add_argument("--context", type=int, default=2048, help="tokens of context for each of them")
    parser.add_argument("--prompt-cache", type=int, default=0, help="MiB for prompts that no slot holds any more")
    parser.add_argument("--threads", type=int, default=0, help="0: as many as this process may use")
    return parser.parse_args(arguments)


def main() -> None:
    """Serve until SIGTERM; then end at once, because whoever stops us has drained us."""
    chosen = options()
    # The first process of a container ignores SIGTERM by default: the kubelet would wait out the grace period.
    for end in (signal.SIGTERM, signal.SIGINT):
        signal.signal(end, lambda *_: os._exit(0))
    server = _server(chosen)
    print(f"listening address={server.listening_address} model={chosen.alias} parallel={chosen.parallel}", flush=True)
    while True:
        signal.pause()


def _server(chosen: argparse.Namespace) -> Any:
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = chosen.model
    parameters.model_alias = {chosen.alias}
    parameters.hostnames = [chosen.host]
    parameters.port = chosen.port
    parameters.n_parallel = chosen.parallel
    parameters.n_ctx = chosen.context * chosen.parallel
    parameters.cpuparams.n_threads = chosen.threads or len(os.sched_getaffinity(0))
    parameters.endpoint_metrics = True
    # llama.cpp would keep up to 8 GiB of prompts, which is more than a container has.
    parameters.cache_ram_mib = chosen.prompt_cache
    return xllamacpp.Server(parameters)


if __name__ == "__main__":
    main()
