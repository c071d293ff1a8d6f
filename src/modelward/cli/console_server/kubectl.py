"""What kubectl does for a console on a person's own machine: a reader's token, and a way to the hub."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from modelward.kubectl.hub import AUTHORITY

FORWARD_S = 20.0
AGAIN_S = 1.0
_FORWARDING = re.compile(rb"Forwarding from 127\.0\.0\.1:(\d+)")


class KubectlError(Exception):
    """What kubectl said when it failed."""


@dataclass(frozen=True, slots=True)
class Kubectl:
    """Runs kubectl with the person's own configuration."""

    program: str = "kubectl"
    kubeconfig: str | None = None
    context: str | None = None

    def command(self, *arguments: str) -> tuple[str, ...]:
        """Return the whole command."""
        given = [*(("--kubeconfig", self.kubeconfig) if self.kubeconfig else ())]
        given += ["--context", self.context] if self.context else []
        return (self.program, *given, *arguments)

    async def run(self, *arguments: str) -> str:
        """Return what it printed; KubectlError with what it complained of."""
        process = await _started(self.command(*arguments))
        out, err = await process.communicate()
        if process.returncode:
            raise KubectlError(
                err.decode(errors="replace").strip() or f"{self.program} ended with {process.returncode}"
            )
        return out.decode().strip()

    async def token(self, namespace: str, account: str, audience: str, duration: str) -> str:
        """Return a token of an account, good for the hub alone; without a namespace that of the context's."""
        where = ("-n", namespace) if namespace else ()
        return await self.run("create", "token", account, *where, "--audience", audience, "--duration", duration)

    async def hub_authority(self, namespace: str) -> str:
        """Return the certificate that the hub's own is signed with."""
        return await self.run(*AUTHORITY, "-n", namespace)

    @asynccontextmanager
    async def forwarded(self, namespace: str, service: str, port: int) -> AsyncIterator[int]:
        """Forward a port of loopback to a Service until the block ends; yield the port.

        A forward ends when the pod behind it moves; it is then begun again on the same port.
        """
        where = ("port-forward", "-n", namespace, f"service/{service}")
        first = await _started(self.command(*where, f":{port}"))
        try:
            async with asyncio.timeout(FORWARD_S):
                local = await _port(first)
        except TimeoutError:
            await _ended(first)
            raise KubectlError(f"port-forward to {namespace}/{service} was not ready in {FORWARD_S:g} s") from None
        except (KubectlError, asyncio.CancelledError):
            await _ended(first)
            raise
        keeping = asyncio.create_task(_keep(first, self.command(*where, f"{local}:{port}")))
        try:
            yield local
        finally:
            keeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await keeping


async def _keep(process: asyncio.subprocess.Process, command: Sequence[str]) -> None:
    try:
        while True:
            await process.communicate()
            await asyncio.sleep(AGAIN_S)
            process = await _started(command)
    finally:
        await _ended(process)


async def _ended(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
    await process.wait()


async def _started(command: Sequence[str]) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    try:
        return await asyncio.create_subprocess_exec(
            *command, stdout=pipe, stderr=pipe, stdin=asyncio.subprocess.DEVNULL
        )
    except OSError as error:
        raise KubectlError(f"{command[0]} cannot be run: {error.strerror}") from error


async def _port(process: asyncio.subprocess.Process) -> int:
    while process.stdout and (line := await process.stdout.readline()):
        if found := _FORWARDING.search(line):
            return int(found[1])
    complaint = await process.stderr.read() if process.stderr else b""
    raise KubectlError(complaint.decode(errors="replace").strip() or "port-forward ended")
