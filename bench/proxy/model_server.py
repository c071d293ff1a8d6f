"""A model server that costs next to nothing: 2 KB of JSON, or a stream of 20 events every 2 ms, for each request."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import cast

import httptools
import uvloop

EVENTS = 20
_BODY = json.dumps(
    {
        "id": "c1",
        "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "word " * 380}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 11, "completion_tokens": 380, "total_tokens": 391},
    }
).encode()
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(_BODY), _BODY)
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_EVENT = b'data: {"id":"c1","model":"m","choices":[{"index":0,"delta":{"content":"word"},"finish_reason":null}]}\n\n'
_DONE = b"data: [DONE]\n\n"


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


class ModelServer(asyncio.Protocol):
    """One connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._parser = httptools.HttpRequestParser(self)
        self._path = b""

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._path = url

    def on_message_complete(self) -> None:
        if self._path.endswith(b"stream"):
            self._transport.write(_HEAD)
            self._say(EVENTS)
        else:
            self._transport.write(ANSWER)

    def _say(self, left: int) -> None:
        self._transport.write(_chunk(_EVENT) if left else _chunk(_DONE) + b"0\r\n\r\n")
        if left:
            asyncio.get_running_loop().call_later(0.002, self._say, left - 1)


async def main(port: int) -> None:
    """Serve until killed."""
    server = await asyncio.get_running_loop().create_server(ModelServer, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
