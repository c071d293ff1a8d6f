"""Where LLMEndpoints are, as a person says it on the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from modelward.desired.evaluators import EndpointAddress


class EndpointError(ValueError):
    """An `--endpoint` is not NAME=URL; the message says how to write it."""


def addresses_of(written: Sequence[str]) -> Mapping[str, EndpointAddress]:
    """Return the address of each `NAME=URL`; the path /v1 may stand there or not. Raises EndpointError."""
    found: dict[str, EndpointAddress] = {}
    for one in written:
        name, _, url = one.partition("=")
        if not name or not url.startswith(("http://", "https://")):
            raise EndpointError(f"--endpoint {one}: write NAME=URL, such as judge-llm=http://127.0.0.1:8080")
        found[name] = EndpointAddress(url.rstrip("/").removesuffix("/v1"))
    return found
