"""`modelward console` on a person's own machine: kubectl gives the token and the way, and only its user gets in."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import sys
from pathlib import Path

import pytest
from aiohttp import ClientSession, CookieJar
from console_stand_in import StandInHub, serving
from waiting import until, until_answered

from modelward.cli.console_server.kubectl import Kubectl, KubectlError

PROGRAM = (sys.executable, "-c", "from modelward.cli.app import main; main()")
FORWARD = """#!{python}
import asyncio, sys
if "port-forward" not in sys.argv:
    print("wrong command", sys.argv, file=sys.stderr)
    sys.exit(1)
async def pump(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()
async def serve(reader, writer):
    there = await asyncio.open_connection("127.0.0.1", {hub})
    await asyncio.gather(pump(reader, there[1]), pump(there[0], writer))
async def main():
    local = int(sys.argv[-1].split(":")[0] or 0)
    server = await asyncio.start_server(serve, "127.0.0.1", local)
    port = server.sockets[0].getsockname()[1]
    print(f"Forwarding from 127.0.0.1:{{port}} -> 8443", flush=True)
    async with server:
        await server.serve_forever()
asyncio.run(main())
"""


def _program(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


async def test_kubectl_is_asked_for_a_token_that_opens_the_hub_alone(tmp_path: Path) -> None:
    kubectl = Kubectl(_program(tmp_path / "kubectl", f'#!/bin/sh\necho "$@" >> {tmp_path}/asked; echo a-token'), "kc")
    assert await kubectl.token("retail", "modelward-reader", "modelward-hub", "8h") == "a-token"
    asked = (tmp_path / "asked").read_text(encoding="utf-8").split()
    assert asked[:5] == ["--kubeconfig", "kc", "create", "token", "modelward-reader"]
    assert asked[asked.index("--audience") + 1] == "modelward-hub"


async def test_what_kubectl_complains_of_is_what_the_person_reads(tmp_path: Path) -> None:
    failing = Kubectl(_program(tmp_path / "kubectl", "#!/bin/sh\necho 'serviceaccounts is forbidden' >&2; exit 1"))
    with pytest.raises(KubectlError, match="forbidden"):
        await failing.token("retail", "modelward-reader", "modelward-hub", "8h")
    with pytest.raises(KubectlError, match="forbidden"):
        async with failing.forwarded("modelward-system", "modelward-hub", 8443):
            pytest.fail("there is no way")
    with pytest.raises(KubectlError, match="cannot be run"):
        await Kubectl(str(tmp_path / "nothing")).token("retail", "r", "a", "1h")


async def test_a_forward_that_never_begins_leaves_no_process(tmp_path: Path) -> None:
    script = f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 600 >&- 2>&-"
    with pytest.raises(KubectlError, match="port-forward ended"):
        async with Kubectl(_program(tmp_path / "kubectl", script)).forwarded("modelward-system", "modelward-hub", 8443):
            pytest.fail("there is no way")
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text(encoding="utf-8")), 0)


async def test_a_forward_that_ends_is_begun_again_on_the_same_port(tmp_path: Path) -> None:
    async with serving(StandInHub()) as hub:
        script = FORWARD.format(python=sys.executable, hub=hub.rpartition(":")[2])
        begun = tmp_path / "begun"
        begun.touch()
        noting = f"    open({str(begun)!r}, 'a').write('x')\n    async with server:"
        dying = script.replace("    async with server:", noting)
        dying = dying.replace("await server.serve_forever()", "await asyncio.wait_for(server.serve_forever(), 0.5)")
        kubectl = Kubectl(_program(tmp_path / "kubectl", dying))
        async with kubectl.forwarded("modelward-system", "modelward-hub", 8443) as port, ClientSession() as client:
            await until(lambda: len(begun.read_text(encoding="utf-8")) >= 2, seconds=60)

            async def answers() -> bool:
                async with client.get(f"http://127.0.0.1:{port}/v1/view/me") as answer:
                    return answer.status == 200

            await until_answered(answers, seconds=60, ignoring=(OSError,))
            assert port > 0


async def test_the_command_prints_an_address_that_opens_the_pages_once() -> None:
    async with serving(StandInHub()) as hub, ClientSession(cookie_jar=CookieJar(unsafe=True)) as client:
        pipe = asyncio.subprocess.PIPE
        command = (*PROGRAM, "console", "--hub-url", hub, "--no-browser")
        process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe, env={**os.environ})
        assert process.stdout
        try:
            async with asyncio.timeout(120):
                address = (await process.stdout.readline()).decode().strip()
            assert address.startswith("http://127.0.0.1:")
            async with client.get(address) as answer:
                assert answer.status == 200
                assert answer.url.path == "/"
            async with ClientSession() as stranger, stranger.get(address) as answer:
                assert answer.status == 403
        finally:
            process.send_signal(signal.SIGINT)
            _, complaints = await asyncio.wait_for(process.communicate(), 120)
        assert process.returncode == 0
        assert b"Traceback" not in complaints
