"""A real S3 server on loopback: versitygw before a folder, which can be ended and started again."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from waiting import wait_until

VERSITYGW = Path.home() / ".cache" / "modelward" / "devcluster" / "bin" / "versitygw"
BUCKET = "bucket"


def gateway_program() -> str:
    """Return the program; skips the test where it is not built, and fails it in CI."""
    program = str(VERSITYGW) if VERSITYGW.is_file() else shutil.which("versitygw")
    if not program:
        missing = f"no S3 server: {VERSITYGW} is not built; `.venv/bin/python devcluster tools` builds it"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return program


@dataclass
class S3Gateway:
    """One bucket below `folder`, always on the same port."""

    folder: Path
    program: str = field(default_factory=gateway_program)
    port: int = 0
    _server: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        """Make the bucket and find a port that is free."""
        (self.folder / BUCKET).mkdir(parents=True)
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]

    @property
    def credentials(self) -> dict[str, str]:
        """By which clients find it, as environment variables."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}", "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "testsecret", "AWS_REGION": "us-east-1", "AWS_ALLOW_HTTP": "true",
        }  # fmt: skip

    def start(self) -> None:
        """Serve, and return when it listens."""
        environment = {"ROOT_ACCESS_KEY": "test", "ROOT_SECRET_KEY": "testsecret", "PATH": os.environ["PATH"]}
        self._server = subprocess.Popen(
            [self.program, "--port", f"127.0.0.1:{self.port}", "posix", str(self.folder)],
            env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        wait_until(lambda: listens(self.port))

    def stop(self) -> None:
        """End it; what was written stays in the folder."""
        if self._server is not None:
            self._server.terminate()
            self._server.wait(30)
            self._server = None


def listens(port: int) -> bool:
    """Return whether a port of this machine takes connections."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@contextmanager
def s3_gateway(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Gateway]:
    """Run one, with its credentials in the environment."""
    gateway = S3Gateway(folder)
    for name, value in gateway.credentials.items():
        monkeypatch.setenv(name, value)
    try:
        gateway.start()
        yield gateway
    finally:
        gateway.stop()
