"""How many of 2,000 requests at once are answered by a collector that starts with a soft open-file limit of 1,024.

python bench/connections/measure.py [--tree CHECKOUT] [--requests N] [--soft N]

The model server holds every request until all have been sent. Written are the answers by their first line, as JSON on
standard output.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "proxy"))
from collector_process import collector

BODY = b'{"model":"m"}'
REQUEST = b"POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n%b" % (len(BODY), BODY)
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
HOLD_SECONDS = 30


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sent: asyncio.Event) -> None:
    try:
        await reader.readuntil(b"\r\n\r\n" + BODY)
        await asyncio.wait_for(sent.wait(), HOLD_SECONDS)
        writer.write(ANSWER)
        await writer.drain()
    except (OSError, asyncio.IncompleteReadError, TimeoutError):
        pass
    finally:
        writer.close()


async def _ask(port: int, asked: list[None], sent: asyncio.Event, number: int) -> str:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(REQUEST)
        asked.append(None)
        if len(asked) == number:
            asyncio.get_running_loop().call_later(2.0, sent.set)
        line = (await asyncio.wait_for(reader.readline(), 2 * HOLD_SECONDS)).decode().strip()
        writer.close()
    except (OSError, TimeoutError) as error:
        return type(error).__name__
    return line or "closed without an answer"


async def _measure(tree: Path, number: int, soft: int) -> dict[str, object]:
    sent, asked = asyncio.Event(), list[None]()
    server = await asyncio.start_server(lambda r, w: _serve(r, w, sent), "127.0.0.1", 0, backlog=4096)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))  # the collector inherits it
    with collector(tree, server.sockets[0].getsockname()[1]) as one:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        answers = await asyncio.gather(*(_ask(one.port, asked, sent, number) for _ in range(number)))
    server.close()
    return {"soft": soft, "requests": number, "answers": dict(Counter(answers))}


def main() -> None:
    """Run once and print the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tree", type=Path, default=Path(__file__).parents[2], help="checkout of the collector")
    parser.add_argument("--requests", type=int, default=2_000)
    parser.add_argument("--soft", type=int, default=1_024, help="soft open-file limit of the collector")
    given = parser.parse_args()
    print(json.dumps(asyncio.run(_measure(given.tree, given.requests, given.soft)), indent=1))


if __name__ == "__main__":
    main()
