"""Text leaves the cluster only to hosts that the installation names, however an address is written."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.api.form import TEXT_URL
from modelward.desired.pod_additions import Egress
from modelward.desired.text_egress import ALLOWED_HOST, address, forbidden, in_cluster, is_allowed


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("https://judge.example", "judge.example", 443),
        ("https://Judge.Example:8443/v1/score", "judge.example", 8443),
        ("http://brand.retail.svc:8080/", "brand.retail.svc", 8080),
        ("http://brand.retail.svc.cluster.local", "brand.retail.svc.cluster.local", 80),
        ("https://[2001:db8::1]:9/x", "2001:db8::1", 9),
    ],
)
def test_an_address_is_a_host_and_a_port(url: str, host: str, port: int) -> None:
    assert address(url) == Egress(host, port)


@pytest.mark.parametrize(
    "url",
    [
        "", "judge.example", "ftp://judge.example", "http://judge.example", "http://brand", "http://brand.retail",
        "http://10.0.0.1", "http://127.0.0.1:18090", "http://localhost/", "https://", "https://a b", "https://h:x",
        "https://user@judge.example", "https://user:word@judge.example", "https://good.example\\@bad.example",
        "https://good.example#@bad.example", "https://good.example?x", "https://ｂad.example", "https://h:0", "https://h:70000",
        "http://a.b.svc.evil.example", "http://evil.example/x.retail.svc", "https://h/\n", "https://[::1", "http://x.y.svc.",
    ],
)  # fmt: skip
def test_any_other_address_is_refused_in_words(url: str) -> None:
    with pytest.raises(ValueError, match=r"write https|port"):
        address(url)


@given(st.text(max_size=60) | st.from_regex(TEXT_URL.pattern, fullmatch=True))
def test_plain_http_goes_to_services_only_and_nothing_but_a_value_error_is_raised(url: str) -> None:
    try:
        found = address(url)
    except ValueError:
        return
    assert url.startswith("https://") or in_cluster(found.host)
    assert found.host == found.host.lower()
    assert 0 < found.port < 65_536


@pytest.mark.parametrize(
    ("host", "allowed", "may"),
    [
        ("brand.retail.svc", (), True),
        ("brand.retail.svc.cluster.local", (), True),
        ("127.0.0.1", (), True),
        ("127.0.0.2", (), False),
        ("brand.retail", (), False),
        ("brand", (), False),
        ("judge.example", (), False),
        ("judge.example", ("judge.example",), True),
        ("evil-judge.example", ("judge.example",), False),
        ("judge.example.evil", ("judge.example",), False),
        ("a.judge.example", ("judge.example",), False),
        ("a.b.judge.example", ("*.judge.example",), True),
        ("judge.example", ("*.judge.example",), False),
        ("eviljudge.example", ("*.judge.example",), False),
        ("10.1.2.3", ("10.1.2.3",), True),
        ("evil.svc", (), False),
        ("a.b.svc.evil", (), False),
    ],
)
def test_a_host_is_allowed_by_name_or_by_the_domain_above_it(host: str, allowed: tuple[str, ...], may: bool) -> None:
    assert is_allowed(host, allowed) is may


def test_what_is_forbidden_names_the_host_and_the_helm_value() -> None:
    egress = (Egress("brand.retail.svc", 80), Egress("judge.example", 443))
    found = forbidden(egress, ("other.example",))
    assert found is not None
    assert found.reason == "EgressNotAllowed"
    assert "judge.example" in found.message
    assert "egress.allowedHosts (now other.example)" in found.message
    assert forbidden(egress, ("judge.example",)) is None
    assert forbidden((), ()) is None


@pytest.mark.parametrize(
    ("entry", "fits"),
    [("api.openai.com", True), ("*.example.com", True), ("10.0.0.1", True), ("2001:db8::1", True),
     ("*", False), ("*.", False), ("https://a.example", False), ("a.example:443", False), ("A.example", False),
     ("", False)],
)  # fmt: skip
def test_an_entry_is_a_host_or_a_domain_and_never_everything(entry: str, fits: bool) -> None:
    assert bool(re.match(ALLOWED_HOST, entry)) is fits
