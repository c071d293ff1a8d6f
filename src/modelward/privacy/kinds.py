"""What a masked value is called. A mask is the kind in brackets; policies and results name kinds, so names stay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

EMAIL, CARD, IBAN, US_SSN, IP_ADDRESS, PHONE = "EMAIL", "CARD", "IBAN", "US_SSN", "IP_ADDRESS", "PHONE"
NATIONAL_ID, MAC_ADDRESS, DATE_OF_BIRTH = "NATIONAL_ID", "MAC_ADDRESS", "DATE_OF_BIRTH"
API_KEY, BEARER_TOKEN, PRIVATE_KEY, PASSWORD, URL_CREDENTIALS = (
    "API_KEY", "BEARER_TOKEN", "PRIVATE_KEY", "PASSWORD", "URL_CREDENTIALS",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class MaskKind:
    """One kind of value; `means` is what the docs say that its mask stands for."""

    name: str
    concern: Literal["personal", "secret"]
    means: str


_TABLE = (
    MaskKind(EMAIL, "personal", "an e-mail address"),
    MaskKind(CARD, "personal", "the number of a payment card"),
    MaskKind(IBAN, "personal", "the number of a bank account"),
    MaskKind(US_SSN, "personal", "a social security number of the USA"),
    MaskKind(NATIONAL_ID, "personal", "a number by which a state knows people, a passport, a driving licence"),
    MaskKind(PHONE, "personal", "a phone number"),
    MaskKind(IP_ADDRESS, "personal", "an IP address"),
    MaskKind(MAC_ADDRESS, "personal", "a hardware address"),
    MaskKind(DATE_OF_BIRTH, "personal", "a date of birth that a word announces"),
    MaskKind(API_KEY, "secret", "a key whose format says what it is"),
    MaskKind(BEARER_TOKEN, "secret", "a JSON web token, or what follows `Bearer`"),
    MaskKind(PRIVATE_KEY, "secret", "a private key of PEM or PuTTY"),
    MaskKind(PASSWORD, "secret", "a secret that a word announces"),
    MaskKind(URL_CREDENTIALS, "secret", "user and password in a URL"),
)
KINDS: Mapping[str, MaskKind] = {row.name: row for row in _TABLE}
PERSONAL_KINDS = frozenset(row.name for row in _TABLE if row.concern == "personal")
SECRET_KINDS = frozenset(row.name for row in _TABLE if row.concern == "secret")
