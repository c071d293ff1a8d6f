"""Addresses of machines: IP and MAC."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address

from modelward.privacy.kinds import IP_ADDRESS, MAC_ADDRESS
from modelward.privacy.span import Span

_IPV4 = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?!\w|\.[0-9]|-[A-Za-z])(?!(?<=\.0)/[0-9])", re.ASCII)
"""Four numbers with dots; with a zero and a prefix length behind them they are a network and no machine."""
_IPV6 = re.compile(
    r"(?<![\w:.])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?:(?<=:)[0-9]{1,3}(?:\.[0-9]{1,3}){3})?(?![\w:])", re.ASCII
)
_MAC = re.compile(
    r"[0-9A-Fa-f]{2}(?:(?::[0-9A-Fa-f]{2}){5}|(?:-[0-9A-Fa-f]{2}){5}|[0-9A-Fa-f]{2}(?:\.[0-9A-Fa-f]{4}){2})(?![\w:-]|\.\w)",
    re.ASCII,
)
_ANNOUNCED_MAC = re.compile(
    r"[Mm][Aa][Cc](?:[ _-]?[Aa]ddr\w{0,6})?[\"' ]{0,2}[:= ][\"' ]{0,2}([0-9A-Fa-f]{12})(?!\w)", re.ASCII
)
_NAMES_OF_VERSIONS = """
    v version versions ver release build chapter kapitel section abschnitt rev revision firmware driver step figure oid
    oracle clause article rule item table java jdk python nginx kernel chrome firefox
"""
_VERSION_WORDS = frozenset(_NAMES_OF_VERSIONS.split())
_VERSION_SIGNS = ("§", "==", ">=", "<=", "~=", "^")
_ADDRESS_WORD = re.compile(
    r"(?i)\b(?:ip|ipv4|host|addr|address|server|from|to|ping|via|dns|gateway|client|remote|peer|at|//)\W{0,3}$"
)
_SMALL = 30


def ip_addresses(text: str) -> Iterator[Span]:
    """Find IP addresses other than those that belong to no machine; numbers of versions and chapters are none."""
    if text.count(".") >= 3:
        for found in _IPV4.finditer(text):
            if _stands_alone(text, found.start()) and _is_a_machine(found.group(), text, found.start()):
                yield Span(IP_ADDRESS, found.start(), found.end())
    if ":" in text:
        for found in _IPV6.finditer(text):
            if _is_v6(found.group()):
                yield Span(IP_ADDRESS, found.start(), found.end())


def mac_addresses(text: str) -> Iterator[Span]:
    """Find hardware addresses of six bytes with one letter at least; without any it is a time or a list."""
    for found in _ANNOUNCED_MAC.finditer(text):
        yield Span(MAC_ADDRESS, found.start(1), found.end(1))
    for found in _MAC.finditer(text):
        value = found.group()
        joined = text[found.start() - 1 : found.start()] if found.start() else ""
        if joined.isalnum() or joined in (":", "-", ".", "_"):
            continue
        if any(letter.isalpha() for letter in value) and len(set(value.lower())) > 2:
            yield Span(MAC_ADDRESS, found.start(), found.end())


def _stands_alone(text: str, start: int) -> bool:
    before = text[start - 1 : start]
    return not (before.isalnum() or before in ("_", ".")) or not before


def _is_a_machine(value: str, text: str, start: int) -> bool:
    numbers = [int(part) for part in value.split(".")]
    if max(numbers) > 255 or numbers[0] in (0, 127) or numbers[0] >= 224:
        return False
    before = text[max(0, start - 24) : start]
    if not before or before[-3:].strip(" .").isdigit():
        return True  # in a list
    if _is_of_a_version(before):
        return False
    small = numbers[0] != 10 and max(numbers) < _SMALL
    return (
        not small
        or before[-1:] in ("@", "[")
        or text[start - 2 : start] == "//"
        or not _NAMED.search(before)
        or bool(_ADDRESS_WORD.search(before))
    )


def _is_of_a_version(before: str) -> bool:
    if before[-1:] in ("-", "/") and before[-2:-1].isalnum():
        return True  # a package and its version, `openssl-1.1.1.1` or `Chrome/120.0.0.0`
    words = before.rstrip(" :=.\"'-(").rsplit(None, 1)
    return before.rstrip().endswith(_VERSION_SIGNS) or (
        bool(words) and words[-1].lower().strip("\"'(") in _VERSION_WORDS
    )


_NAMED = re.compile(r"[A-Z][\w+#.-]*[ ]$")
"""A name right before four small numbers: a product and its version."""


def _is_v6(value: str) -> bool:
    if len(value) < 7 or not any(letter.isdigit() for letter in value):
        return False
    try:
        address = ip_address(value)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return not (address.is_loopback or address.is_unspecified or address.is_multicast or (mapped and not int(mapped)))
