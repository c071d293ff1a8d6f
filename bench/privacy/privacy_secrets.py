"""Secrets drawn at random in the formats that secret scanners know, and passwords as people choose them."""

from __future__ import annotations

import base64
import json
import string
from random import Random

_ALNUM = string.ascii_letters + string.digits
_HEX = "0123456789abcdef"
_CHARACTERS = {"A": string.ascii_uppercase + "234567", "h": _HEX, "H": _HEX.upper(), "9": string.digits, "x": _ALNUM}
_FORMATS = """
    AKIA{A16} ghp_{x36} github_pat_{x22}_{x59} glpat-{x20} sk-proj-{x48} sk-ant-api03-{x93}AA gsk_{x52} AIza{x35}
    xoxb-{912}-{912}-{x24} sk_live_{x24} whsec_{x32} hf_{x34} npm_{x36} pypi-AgEIcHlwaS5vcmc{x60} SG.{x22}.{x43} SK{h32}
    dop_v1_{h64} shpat_{h32} dapi{h32} hvs.{x90} glsa_{x32}_{h8} lin_api_{x40} {910}:AA{x33} dckr_pat_{x27} dp.pt.{x43}
    ATATT3{x180}={H8} ops_eyJ{x250} sq0atp-{x22} 00D{x12}!{x96} rzp_live_{x14} pat{x14}.{h64} figd_{x40} ntn_{x46}
    tskey-auth-{x12}-{x24} xkeysib-{h64}-{x16} pscale_tkn_{x43} r8_{x37} LTAI{x20} 1//0{x40} GOCSPX-{x28} EAAB{x80}
    v1.0-{h24}-{h146} oy2{h43} sntrys_{x60} phc_{x43} NRAK-{A27} {x3}{91}Q~{x34} re_{x8}_{x24} acme_live_{x32}
    https://x.blob.core.windows.net/c/f?sv=2022-11-02&sig={x43}%3D AccountKey={x86}==
"""
"""Formats of keys; {x36} are 36 letters and digits, {h} hexadecimal, {A} capitals, {9} digits."""
PASSWORD_WORDS = (
    "password:", "Password=", "my password is", "the password is", "pw:", "pass:", "pwd=", "new password", "--password",
    "DB_PASSWORD=", "password for the vault is:", "Passwort:", "das Passwort lautet", "mein Kennwort ist",
    "mot de passe :", "mon mot de passe est", "contraseña:", "mi contraseña es", "la clave es",
)  # fmt: skip


def letters(rng: Random, count: int, of: str = "x") -> str:
    """Return random characters, a digit among them as any real key has."""
    drawn = [rng.choice(_CHARACTERS[of]) for _ in range(count)]
    drawn[rng.randrange(count)] = rng.choice("234567")
    return "".join(drawn)


def api_key(rng: Random) -> str:
    """Return a key of one of the formats."""
    parts = rng.choice(_FORMATS.split()).split("{")
    key = parts[0]
    for part in parts[1:]:
        size, _, rest = part.partition("}")
        key += letters(rng, int(size[1:]), size[0]) + rest
    return key


def jwt(rng: Random) -> str:
    """Return a JSON web token."""
    head, body = (
        base64.urlsafe_b64encode(json.dumps(data).encode()).decode().rstrip("=")
        for data in ({"alg": "HS256", "typ": "JWT"}, {"sub": letters(rng, 10, "9")})
    )
    return f"{head}.{body}.{letters(rng, 43)}"


def private_key(rng: Random) -> str:
    """Return a private key in PEM."""
    name = rng.choice(("RSA ", "EC ", "OPENSSH ", ""))
    lines = "\n".join(letters(rng, 64) for _ in range(3))
    return f"-----BEGIN {name}PRIVATE KEY-----\n{lines}\n-----END {name}PRIVATE KEY-----"


def password(rng: Random) -> str:
    """Return a password as people choose them."""
    word = rng.choice(("Winter", "hunter", "Tr0ub4dor", "s3cret", "Sommer", "clave", "Xy7", "tulipe", "Katze"))
    return word + rng.choice(("2024!", "22", "&3", "#9x", "_77a", "99$"))
