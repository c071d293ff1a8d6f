"""What is searched for in texts, one row for each detector."""

from __future__ import annotations

from modelward.privacy.announced_words import announced_words
from modelward.privacy.birth_dates import birth_dates
from modelward.privacy.cards import cards
from modelward.privacy.columns import column_values
from modelward.privacy.emails import emails
from modelward.privacy.ibans import ibans
from modelward.privacy.insertions import inserted_values
from modelward.privacy.keys import api_keys, bearer_tokens, private_keys, url_credentials
from modelward.privacy.kinds import (
    API_KEY,
    BEARER_TOKEN,
    CARD,
    DATE_OF_BIRTH,
    EMAIL,
    IBAN,
    IP_ADDRESS,
    MAC_ADDRESS,
    NATIONAL_ID,
    PASSWORD,
    PHONE,
    PRIVATE_KEY,
    URL_CREDENTIALS,
    US_SSN,
)
from modelward.privacy.national_words import identifying_words
from modelward.privacy.network import ip_addresses, mac_addresses
from modelward.privacy.numbers import identifying_numbers
from modelward.privacy.passwords import passwords
from modelward.privacy.phones import international_phones
from modelward.privacy.span import Detector

DETECTORS: list[Detector] = [
    Detector(private_keys, (PRIVATE_KEY,)),
    Detector(url_credentials, (URL_CREDENTIALS,)),
    Detector(bearer_tokens, (BEARER_TOKEN,)),
    Detector(api_keys, (API_KEY,)),
    Detector(passwords, (PASSWORD,)),
    Detector(emails, (EMAIL,)),
    Detector(cards, (CARD,)),
    Detector(ibans, (IBAN,)),
    Detector(ip_addresses, (IP_ADDRESS,)),
    Detector(mac_addresses, (MAC_ADDRESS,)),
    Detector(international_phones, (PHONE,)),
    Detector(identifying_numbers, (CARD, NATIONAL_ID, PHONE, US_SSN)),
    Detector(identifying_words, (NATIONAL_ID,)),
    Detector(announced_words, (NATIONAL_ID,)),
    Detector(birth_dates, (DATE_OF_BIRTH,)),
    Detector(column_values, (DATE_OF_BIRTH, NATIONAL_ID, PASSWORD, PHONE, US_SSN)),
    Detector(inserted_values, (DATE_OF_BIRTH, NATIONAL_ID, PASSWORD, PHONE, US_SSN)),
]
"""In order of precedence: where two find the same characters, the first one names them."""
