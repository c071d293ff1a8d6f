"""The hub's own certificate authority, so that none has to be installed for it."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from modelward.hub.durability import sync_path

CA_LIFE = timedelta(days=3_650)
CA_RENEWAL = timedelta(days=90)
SERVER_LIFE = timedelta(days=90)
SERVER_RENEWAL = timedelta(days=30)
BACKDATE = timedelta(minutes=10)
"""Nodes whose clock is behind must accept a certificate made this minute."""


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files of one authority and the server certificate that it signed; `renewed` when either is new."""

    ca_pem: bytes
    certificate_file: Path
    key_file: Path
    renewed: bool


def names_of(namespace: str) -> list[x509.GeneralName]:
    """Return every name that a caller may know the hub by."""
    base = f"modelward-hub.{namespace}"
    dns = ["modelward-hub", base, f"{base}.svc", f"{base}.svc.cluster.local", "localhost"]
    return [*map(x509.DNSName, dns), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]


def ensure(directory: Path, namespace: str, now: datetime) -> Certificates:
    """Return the certificates in a directory; those that are absent, unfit, near their end or not yet valid are made.

    `now` in UTC. What begins in the future was made while the clock was ahead, and no caller would accept it. A new
    authority is made for that, when the files are lost, and 90 days before the old one ends; callers then need the new
    one, which is published again.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    ca_file, ca_key_file = directory / "ca.crt", directory / "ca.key"
    certificate_file, key_file = directory / "tls.crt", directory / "tls.key"
    ca, ca_key = _load(ca_file, ca_key_file)
    renewed = False
    if ca is None or ca_key is None or not _lasts(ca, now, CA_RENEWAL):
        ca, ca_key = _authority(now)
        _save(ca, ca_key, ca_file, ca_key_file)
        renewed = True
    server, _ = _load(certificate_file, key_file)
    if renewed or server is None or not _fits(server, ca, namespace, now):
        _save(*_server(ca, ca_key, namespace, now), certificate_file, key_file)
        renewed = True
    return Certificates(ca_file.read_bytes(), certificate_file, key_file, renewed)


def _fits(server: x509.Certificate, ca: x509.Certificate, namespace: str, now: datetime) -> bool:
    try:
        server.verify_directly_issued_by(ca)
    except Exception:  # noqa: BLE001  # ValueError, TypeError or InvalidSignature: not ours either way
        return False
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return list(names) == names_of(namespace) and _lasts(server, now, SERVER_RENEWAL)


def _lasts(certificate: x509.Certificate, now: datetime, renewal: timedelta) -> bool:
    return certificate.not_valid_before_utc <= now and certificate.not_valid_after_utc - now >= renewal


def _authority(now: datetime) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    # The serial in the name keeps the authorities of two lives of a hub apart in a bundle.
    serial = x509.random_serial_number()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"modelward hub CA {serial:x}"[:64])])
    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    certificate = (
        _builder(name, name, key, now, CA_LIFE, serial)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    return certificate, key


def _server(
    ca: x509.Certificate, ca_key: ec.EllipticCurvePrivateKey, namespace: str, now: datetime
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "modelward-hub")])
    authority = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(
        ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    )
    certificate = (
        _builder(name, ca.subject, key, now, SERVER_LIFE, x509.random_serial_number())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(authority, critical=False)
        .add_extension(x509.SubjectAlternativeName(names_of(namespace)), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    return certificate, key


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, life: timedelta, serial: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(now - BACKDATE)
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _load(certificate: Path, key: Path) -> tuple[x509.Certificate | None, ec.EllipticCurvePrivateKey | None]:
    try:
        loaded = serialization.load_pem_private_key(key.read_bytes(), password=None)
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
    except (OSError, ValueError):
        return None, None
    if not isinstance(loaded, ec.EllipticCurvePrivateKey) or loaded.public_key() != found.public_key():
        return None, None
    return found, loaded


def _save(
    certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey, certificate_file: Path, key_file: Path
) -> None:
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _replace(key_file, private)
    _replace(certificate_file, certificate.public_bytes(serialization.Encoding.PEM))


def _replace(path: Path, data: bytes) -> None:
    """Write a private file whole or not at all, also where the power fails: a lost authority shuts every caller out."""
    temporary = path.with_suffix(".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_path(path.parent)
