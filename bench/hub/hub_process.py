"""A hub with TLS and tokens in a process of its own, and callers of three namespaces.

Run as a program it is that process: `hub_process.py FOLDER` writes FOLDER/info.json and serves until SIGTERM.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import ssl
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

START_S = 30.0
ISSUER = "https://bench"
CALLERS = {
    "operator": ("modelward-system", "modelward"),
    "workload": ("loud", "default"),
    "evaluator": ("loud", "modelward-evaluate"),
    "other": ("quiet", "default"),
}


@dataclass(slots=True)
class HubProcess:
    """The process, and what it costs."""

    folder: Path
    process: subprocess.Popen[bytes] = field(init=False)
    info: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.process = subprocess.Popen([sys.executable, __file__, str(self.folder)], stderr=subprocess.DEVNULL)
        ready, deadline = self.folder / "info.json", time.monotonic() + START_S
        while not ready.exists():
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise SystemExit("the hub does not start")
            time.sleep(0.05)
        self.info = json.loads(ready.read_text())

    def ask(self, method: str, path: str, caller: str, body: bytes = b"", encoding: str = "") -> tuple[int, bytes]:
        """Return status and answer of one request on a connection of its own."""
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=insecure(), timeout=120)
        headers = {"Authorization": f"Bearer {self.info['tokens'][caller]}"}
        if encoding:
            headers["Content-Encoding"] = encoding
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    @property
    def port(self) -> int:
        """The API's port."""
        return int(self.info["port"])

    def rss_mb(self) -> float:
        """Return the resident memory in MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def cpu_s(self) -> float:
        """Return the CPU seconds used so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(30)


def insecure() -> ssl.SSLContext:
    """Return a context that believes any certificate, as a caller on loopback may."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


async def _serve(folder: Path) -> None:
    import jwt
    from aiohttp import web
    from cryptography.hazmat.primitives.asymmetric import ec

    from modelward.hub.server import Hub
    from modelward.hub.settings import ApiServer, HubSettings

    key = ec.generate_private_key(ec.SECP256R1())
    public = jwt.algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": "bench", "alg": "ES256"}

    async def discovery(_: web.Request) -> web.Response:
        return web.json_response({"issuer": ISSUER})

    async def keys(_: web.Request) -> web.Response:
        return web.json_response({"keys": [public]})

    cluster = web.Application()
    cluster.router.add_get("/.well-known/openid-configuration", discovery)
    cluster.router.add_get("/openid/v1/jwks", keys)
    runner = web.AppRunner(cluster)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    settings = HubSettings(
        store_url=f"file://{folder}/store", listen="127.0.0.1:0", health_listen="127.0.0.1:0",
        state_dir=folder / "state", api_server=ApiServer(f"http://127.0.0.1:{runner.addresses[0][1]}", None, None),
    )  # fmt: skip

    def token(namespace: str, account: str) -> str:
        subject = f"system:serviceaccount:{namespace}:{account}"
        claims = {"iss": ISSUER, "aud": ["modelward-hub"], "exp": int(time.time()) + 3_600, "sub": subject}
        return jwt.encode(claims, key, "ES256", headers={"kid": "bench"})

    async with Hub(settings).running() as hub:
        tokens = {name: token(*who) for name, who in CALLERS.items()}
        partial = folder / "info.partial"
        partial.write_text(json.dumps({"port": hub.ports[0], "tokens": tokens}))
        partial.rename(folder / "info.json")
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1])))
