"""Reading a kubeconfig, as the operator, its commands and several threads of one process do."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import threading
from pathlib import Path
from typing import IO, Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from kubernetes.aio.config import kube_config

from modelward.kube import access


def kubeconfig(folder: Path, name: str) -> str:
    """Write one whose certificate no other has, as data inside of it; return its path."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    day = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(who).issuer_name(who).public_key(key.public_key())
        .serial_number(1).not_valid_before(day).not_valid_after(day + dt.timedelta(3_650))
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = serialization.Encoding.PEM
    plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    data = {
        "client-certificate-data": base64.b64encode(certificate.public_bytes(pem)).decode(),
        "client-key-data": base64.b64encode(key.private_bytes(pem, *plain)).decode(),
    }
    server = {"server": "https://127.0.0.1:1", "insecure-skip-tls-verify": True}
    document = {
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": server}],
        "users": [{"name": "u", "user": data}],
    }  # fmt: skip
    file = folder / f"{name}.kubeconfig"
    file.write_text(yaml.safe_dump(document))
    return str(file)


def test_a_thread_that_reads_a_kubeconfig_while_another_writes_its_certificate_waits_for_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, problems = kubeconfig(tmp_path, "user"), list[Exception]()
    named, ended = threading.Event(), threading.Event()

    def slow(file: str, mode: str = "r") -> IO[Any]:
        """Open a file on a disk that takes its time before the first write arrives."""
        if mode == "wb" and not named.is_set():
            named.set()
            ended.wait(1)
        return Path(file).open(mode)

    async def read() -> None:
        found = await access.load(path)
        await found.close()

    def thread() -> None:
        try:
            asyncio.run(read())
        except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
            problems.append(error)
        ended.set()

    monkeypatch.setattr(kube_config, "open", slow, raising=False)
    first, second = threading.Thread(target=thread), threading.Thread(target=thread)
    first.start()
    assert named.wait(60)
    second.start()
    first.join()
    second.join()
    assert problems == []


async def test_tasks_of_one_loop_that_read_at_once_do_not_wait_for_each_other_for_good(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path, "one")
    async with asyncio.timeout(60):
        found = await asyncio.gather(*(access.load(path) for _ in range(8)))
    assert {one.host for one in found} == {"https://127.0.0.1:1"}
    for one in found:
        await one.close()
