"""A fleet of 5,000 endpoints is a list that one can read, page by page."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import console_objects as objects
import pytest
from browser_page import Visitor, sign_in
from console_processes import Served, serving
from playwright.sync_api import Browser, expect
from promised_time import in_time

MANY = 5_000
MOST_S = 1.0
"""For the whole way there and back, the best of six turns; what the hub itself takes is measured in its own tests."""


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[tuple[Served, Path]]:
    with serving(tmp_path_factory.mktemp("crowded")) as running:
        running.tell([*objects.fleet(running.now_ms), *objects.many(MANY, running.now_ms)], whole="many")
        yield running, sign_in(browser, running, tmp_path_factory.mktemp("state"))


def test_5000_endpoints_are_paged_with_what_needs_attention_first(
    browser: Browser, crowded: tuple[Served, Path]
) -> None:
    running, state = crowded
    with Visitor.at(browser, running.console, state) as person:
        page = person.go("/")
        rows = page.locator("tbody tr:not(.grp)")
        expect(rows).to_have_count(50)
        expect(rows.first).to_contain_text("Unhealthy")
        expect(page.get_by_label("Pages")).to_contain_text(re.compile(r"1–50 of 5,0\d\d"))
        person.picture("fleet-5000")
        first, took_s = rows.first.text_content() or "", []
        for way in ("Next", "Previous") * 3:
            began = time.perf_counter()
            page.get_by_role("link", name=way).click()
            expect(rows.first).to_have_text(first) if way == "Previous" else expect(rows.first).not_to_have_text(first)
            took_s.append(time.perf_counter() - began)
        assert in_time(min(took_s), MOST_S), took_s
        page.get_by_label("Namespace", exact=True).select_option("team-7")
        expect(page.locator("tbody tr:not(.grp)")).to_have_count(50)
        expect(page.locator(".ep .ns").first).to_have_text("team-7")
        assert person.complaints == []
