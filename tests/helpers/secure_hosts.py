"""Names of the internet on this machine: each leads to an application behind real TLS, by a resolver of our own."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.test_utils import TestServer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from modelward.job.delivery.courier import Courier
from modelward.job.delivery.http import HttpSender
from modelward.job.delivery.reach import FORBIDDEN, Network, Reach
from modelward.job.delivery.secret_files import SecretFiles
from modelward.job.delivery.smtp import MailSender

LOOPBACK = "127.0.0.0/8"
ELSEWHERE: tuple[Network, ...] = tuple(one for one in FORBIDDEN if str(one) != LOOPBACK)
"""What is forbidden but for this machine, where all servers of tests are."""


class Authority:
    """A certificate authority in a folder: `ca.pem`, and a certificate for each name that is asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
        made = self._signed(self._name, self._key, x509.BasicConstraints(ca=True, path_length=None))
        self.file = folder / "ca.pem"
        self.file.write_bytes(made.public_bytes(serialization.Encoding.PEM))

    @cached_property
    def trusted(self) -> ssl.SSLContext:
        """The context of a client that trusts this authority and no other."""
        return ssl.create_default_context(cafile=str(self.file))

    def server(self, *names: str) -> ssl.SSLContext:
        """The context of a server of these names."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        made = self._signed(subject, key, x509.SubjectAlternativeName([x509.DNSName(name) for name in names]))
        file = self._folder / f"{names[0]}.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _signed(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, extension: x509.ExtensionType
    ) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        day = dt.timedelta(days=1)
        made = x509.CertificateBuilder(self._name, subject, key.public_key(), x509.random_serial_number())
        made = made.not_valid_before(now - day).not_valid_after(now + day).add_extension(extension, critical=True)
        return made.sign(self._key, hashes.SHA256())


@dataclass
class NamedHosts(AbstractResolver):
    """Leads each name to one address and port of this machine, whatever port is asked for; `asked` are the names."""

    places: dict[str, tuple[str, int]]

    def __post_init__(self) -> None:
        self.asked: list[str] = []

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_INET,  # noqa: ARG002
    ) -> list[ResolveResult]:
        self.asked.append(host)
        if host not in self.places:
            raise OSError(f"no address of {host}")
        address, own = self.places[host]
        kind = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [ResolveResult(hostname=host, host=address, port=own or port, family=kind, proto=0, flags=0)]

    async def close(self) -> None:
        """Nothing is open."""


@dataclass(frozen=True)
class Town:
    """Hosts with their certificates, and a folder of Secrets."""

    authority: Authority
    hosts: NamedHosts
    secrets: Path

    def keep(self, secret: str, key: str, value: str | bytes) -> None:
        """Mount a key of a Secret."""
        folder = self.secrets / secret
        folder.mkdir(parents=True, exist_ok=True)
        (folder / key).write_bytes(value if isinstance(value, bytes) else value.encode())

    def courier(self, *allowed: str, **changes: object) -> Courier:
        """Return what sends messages to these hosts; without any, to all of the town."""
        reach = Reach(allowed or tuple(self.hosts.places), ELSEWHERE)
        about = (reach, SecretFiles(self.secrets), self.hosts, self.authority.trusted)
        return Courier(HttpSender(*about, **changes), MailSender(*about))  # type: ignore[arg-type]


@asynccontextmanager
async def town(folder: Path, applications: Mapping[str, web.Application]) -> AsyncIterator[Town]:
    """Serve each application under its name while the block runs; those of Services by plain HTTP."""
    authority = Authority(folder)
    hosts = NamedHosts({})
    async with AsyncExitStack() as stack:
        for name, application in applications.items():
            server = TestServer(application)
            await server.start_server(ssl=None if name.endswith(".svc") else authority.server(name))
            stack.push_async_callback(server.close)
            hosts.places[name] = ("127.0.0.1", server.port or 0)
        yield Town(authority, hosts, folder / "secrets")
