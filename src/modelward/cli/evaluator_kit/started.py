"""An evaluator that is started here in order to be tried: a Python file, or an image as Modelward would run it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from modelward.evaluate.kinds.container import PORT
from modelward.job.conformance.client import TriedService

RUNTIMES = ("docker", "podman", "nerdctl")
START_S = 60.0
ANSWER_S = 30.0
"""For a runtime to say whether it works."""
_AGAIN_S = 0.2


class StartError(RuntimeError):
    """It cannot be started here; the message says what to do."""


@contextmanager
def started(target: str, key: str) -> Iterator[TriedService]:
    """Start a file or an image, or take a URL as it is; end what was started. Raises StartError."""
    if target.startswith(("http://", "https://")):
        yield TriedService(target, key)
    elif target.endswith(".py") or Path(target).is_file():
        with _file(Path(target), key) as service:
            yield service
    else:
        with _image(target, key) as service:
            yield service


@contextmanager
def _file(path: Path, key: str) -> Iterator[TriedService]:
    if not path.is_file():
        raise StartError(f"there is no file {path}")
    port = _free_port()
    env = {**_with_key(key), "PORT": str(port)}
    process = subprocess.Popen([sys.executable, path.name], cwd=path.resolve().parent, env=env)
    try:
        yield _answering(TriedService(f"http://127.0.0.1:{port}", key), process, f"{path} with PORT={port}")
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def _image(image: str, key: str) -> Iterator[TriedService]:
    runtime = _runtime(image)
    port = _free_port()
    name = f"modelward-conformance-{port}"
    process = subprocess.Popen([runtime, *run_arguments(image, name, port, signs=bool(key))], env=_with_key(key))
    try:
        yield _answering(TriedService(f"http://127.0.0.1:{port}", key), process, image)
    finally:
        subprocess.run([runtime, "rm", "-f", name], check=False, capture_output=True)
        process.wait()


def _runtime(image: str) -> str:
    """Return the first runtime that works: one may be installed without the service that it asks."""
    found = list(filter(shutil.which, RUNTIMES))
    for name in found:
        with contextlib.suppress(subprocess.TimeoutExpired):
            if not subprocess.run([name, "info"], check=False, capture_output=True, timeout=ANSWER_S).returncode:
                return name
    why = f"`{found[0]} info` fails" if found else f"no {', '.join(RUNTIMES)} here"
    raise StartError(
        f"{why}, so {image} cannot be run: give a file (server.py), or run the image where you can,"
        f" with port {PORT} published, and give its URL (http://HOST:{PORT})"
    )


def run_arguments(image: str, name: str, port: int, *, signs: bool) -> Sequence[str]:
    """Return the arguments that run an image as restricted as in a Job's pod; a key comes from our own environment."""
    return (
        *("run", "--rm", "--name", name, "--publish", f"127.0.0.1:{port}:{PORT}", "--user", "65532:65532"),
        *("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL"),  # noqa: S108  # the container's own
        *("--security-opt", "no-new-privileges", "--memory", "512m"),
        *(("--env", "SIGNING_KEY") if signs else ()),
        image,
    )


def _with_key(key: str) -> Mapping[str, str]:
    return {**os.environ, **({"SIGNING_KEY": key} if key else {})}


def _answering(service: TriedService, process: subprocess.Popen[bytes], what: str) -> TriedService:
    """Wait until the manifest comes, as the kubelet does."""
    asking, until_s = TriedService(service.base, service.key, timeout_s=2.0), time.monotonic() + START_S
    while asyncio.run(asking.manifest()).status == 0:
        if process.poll() is not None:
            raise StartError(f"{what} ended with code {process.returncode} before it answered")
        if time.monotonic() > until_s:
            raise StartError(f"{what} did not answer GET /v1/manifest within {START_S:.0f} s")
        time.sleep(_AGAIN_S)
    return service


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
