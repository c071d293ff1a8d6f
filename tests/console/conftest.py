"""One hub, one console and one browser for all tests of pages."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser_page import Visitor, chromium, sign_in
from console_processes import Served, serving
from playwright.sync_api import Browser, expect, sync_playwright

expect.set_options(timeout=20_000)


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("console")) as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = chromium()
    if program is None:
        if os.environ.get("CI") or os.environ.get("MODELWARD_REQUIRE_BROWSER"):
            pytest.fail("Chromium is not there: `devcluster tools` installs it")
        pytest.skip("needs Chromium: `devcluster tools` installs it")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="session")
def signed_in(served: Served, browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Open the printed address once; every page after that has its cookie."""
    return sign_in(browser, served, tmp_path_factory.mktemp("state"))


@pytest.fixture
def visitor(served: Served, browser: Browser, signed_in: Path) -> Iterator[Visitor]:
    """A person at a screen; what a page must never do fails the test at its end."""
    with Visitor.at(browser, served.console, signed_in) as person:
        yield person
        assert person.complaints == []
