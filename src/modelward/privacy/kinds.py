"""What a masked value is called. A mask is the kind in brackets; policies and results name kinds, so names stay."""

from __future__ import annotations

EMAIL, CARD, IBAN, US_SSN, IP_ADDRESS, PHONE = "EMAIL", "CARD", "IBAN", "US_SSN", "IP_ADDRESS", "PHONE"
NATIONAL_ID, MAC_ADDRESS = "NATIONAL_ID", "MAC_ADDRESS"
API_KEY, BEARER_TOKEN, PRIVATE_KEY, PASSWORD, URL_CREDENTIALS = (
    "API_KEY", "BEARER_TOKEN", "PRIVATE_KEY", "PASSWORD", "URL_CREDENTIALS",
)  # fmt: skip

PERSONAL_KINDS = frozenset((EMAIL, CARD, IBAN, US_SSN, IP_ADDRESS, PHONE, NATIONAL_ID, MAC_ADDRESS))
SECRET_KINDS = frozenset((API_KEY, BEARER_TOKEN, PRIVATE_KEY, PASSWORD, URL_CREDENTIALS))
