"""Texts that hold nothing to mask although they look like it: identifiers, versions, dates, code, talk of secrets."""

from __future__ import annotations

import string
import uuid
from collections.abc import Callable
from random import Random

HEX = "0123456789abcdef"


def _digits(rng: Random, count: int) -> str:
    return rng.choice("123456789") + "".join(rng.choice(string.digits) for _ in range(count - 1))


def _hex(rng: Random, count: int) -> str:
    return "".join(rng.choice(HEX) for _ in range(count))


def _ean(rng: Random) -> str:
    body = "40" + _digits(rng, 10)
    return body + str(-(sum(map(int, body[::2])) + 3 * sum(map(int, body[1::2]))) % 10)


_MAKERS: tuple[Callable[[Random], str], ...] = (
    lambda r: f"The order {_digits(r, 13)} shipped on 2026-01-{r.randrange(10, 28)} 03:04:05.",
    lambda r: f"Order no. {_digits(r, 10)} and invoice 2026-{_digits(r, 6)} are paid.",
    lambda r: f"Version {r.randrange(1, 9)}.{r.randrange(20)}.{r.randrange(20)}.{r.randrange(20)} of the tool",
    lambda r: f"Mozilla/5.0 (X11) Chrome/{r.randrange(100, 130)}.0.{r.randrange(9)}.{r.randrange(9)} Safari/537.36",
    lambda r: f"see chapter {r.randrange(1, 9)}.{r.randrange(1, 9)}.{r.randrange(1, 9)}.{r.randrange(1, 9)}",
    lambda r: f"openssl-1.1.{r.randrange(9)}.{r.randrange(9)} and libfoo=={r.randrange(9)}.2.3.{r.randrange(9)}",
    lambda r: f"call {r.randrange(2, 99)} functions and text {r.randrange(2, 99)} people",
    lambda r: f"request {uuid.UUID(int=r.getrandbits(128))} failed",
    lambda r: f"commit {_hex(r, 40)} fixes it, image sha256:{_hex(r, 64)}",
    lambda r: f"md5 {_hex(r, 32)}",
    lambda r: f"lat {r.uniform(-90, 90):.6f}, long {r.uniform(-180, 180):.6f}",
    lambda r: f"pi is {r.uniform(0, 9):.14f} and e is {r.uniform(0, 9):.15f}",
    lambda r: f"at 2026-11-{r.randrange(10, 28)}T17:29:08.{r.randrange(100, 999)}Z",
    lambda r: f"epoch {r.randrange(1_600_000_000_000, 1_800_000_000_000)}",
    lambda r: f'{{"ts": {r.randrange(1_600_000_000, 1_800_000_000)}, "ns": {_digits(r, 1)}7{_digits(r, 17)}}}',
    lambda r: f"ISBN 978-3-16-{_digits(r, 6)}-0 or EAN {_ean(r)}",
    lambda r: f"IMEI 35{_digits(r, 13)}",
    lambda r: f"tracking 1Z{_digits(r, 16)} and sendung {_digits(r, 12)}",
    lambda r: (
        f"it costs ${r.randrange(1, 9)},{r.randrange(100, 999)},{r.randrange(100, 999)}.{r.randrange(10, 99)} in all"
    ),
    lambda r: f"12 {r.randrange(100, 999)} {r.randrange(100, 999)} inhabitants in 2025",
    lambda r: f"rows: {r.randrange(100, 999)} {r.randrange(100, 999)} {r.randrange(1000, 9999)}, and more",
    lambda r: f"pages {r.randrange(100, 200)} {r.randrange(200, 300)} {r.randrange(3000, 4000)}",
    lambda r: "matrix: " + " ".join(str(r.randrange(10)) for _ in range(10)),
    lambda _: "years 2019 2020 2021 2022 2023 and 1914 1918",
    lambda _: "09 10 11 12 13 14, then 01 02 03 04 05",
    lambda r: f"on 03/12/2024 11:45 and 17.05.{r.randrange(1990, 2030)} 12:00",
    lambda r: f"from 12:34:56 to 23:59:{r.randrange(10, 59)}.123456",
    lambda r: f"ports {r.randrange(1024, 9999)}:{r.randrange(1024, 9999)}, pid {r.randrange(1000, 99999)}",
    lambda r: f"Room 415 {r.randrange(100, 999)} 1234 seats",
    lambda r: f"git@github.com:owner/repo-{r.randrange(99)}.git and git clone ssh://git@host/x",
    lambda r: f"npm i @types/node@20.{r.randrange(9)}.0 foo@1.2.{r.randrange(9)}",
    lambda r: f"icon@{r.randrange(1, 4)}x.png in x@y, @app.route('/v1')",
    lambda r: f"std::vector<int>::iterator, a::b::c{r.randrange(99)}",
    lambda r: f"listen on 127.0.0.1:{r.randrange(1024, 9999)} or 0.0.0.0 with mask 255.255.255.0",
    lambda r: f"chatcmpl-{_hex(r, 24)}x, msg_01{_hex(r, 22)}Q, call_{_hex(r, 24)}",
    lambda r: f"claude-3-5-sonnet-2024{r.randrange(10, 12)}22 and gpt-4o-2024-08-06",
    lambda r: f"color: #{_hex(r, 6)}; width: {r.randrange(100, 999)}px",
    lambda _: "The token is expired, and the password is incorrect",
    lambda r: r.choice(
        ("def f(token: str, secret: bytes = b''): ...", "self.password = password", "token = get_token()")
    ),
    lambda r: r.choice(("const apiKey = process.env.API_KEY;", "PASSWORD=${DB_PASSWORD}", "password: <your-password>")),
    lambda r: r.choice(
        ("password reset link", "the secret is to keep it simple", "use a password manager", "pin: position")
    ),
    lambda r: r.choice(("das Passwort ist falsch", "le mot de passe est incorrect", "la contraseña es obligatoria")),
    lambda r: r.choice(("the key is under the mat", "the access key is documented in docs/keys2.md", "token: string")),
    lambda r: r.choice(("sk-learn pipeline", "task-management-system-for-teams", "risk-assessment-framework-2026")),
    lambda r: r.choice(("ask-me-anything-about-python-now", "desk-sharing-policy-guidelines", "AKIA is the prefix")),
    lambda r: f"flight LH{r.randrange(100, 999)} seat 12A, plate M-AB {r.randrange(1000, 9999)}",
    lambda r: f"SKU AB-{_digits(r, 6)}-X, part no {_digits(r, 8)}, batch {_digits(r, 7)}",
    lambda r: f"{_digits(r, 3)} {_digits(r, 3)} bytes sent, {_digits(r, 11)} bytes in all",
    lambda r: f"score 3:2, ratio 16:9:{r.randrange(1, 9)}, RFC {r.randrange(1000, 9999)} section 4.{r.randrange(9)}",
    lambda r: f"user_id={_digits(r, 9)} session={_hex(r, 16)} count={_digits(r, 10)}",
)


def harmless(rng: Random, each: int) -> list[str]:
    """Return `each` texts of every kind of look-alike."""
    return [make(rng) for make in _MAKERS for _ in range(each)]
