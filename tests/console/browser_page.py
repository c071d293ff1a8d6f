"""A person before a real browser, and a record of all that a page must never do."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from console_processes import Served
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, ViewportSize

ARTEFACTS = Path(os.environ.get("MODELWARD_ARTEFACTS") or Path(__file__).parents[2] / ".artefacts") / "console"
AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
DESK: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
_WATCH = """
addEventListener('securitypolicyviolation', (event) => {
  console.error('policy violated: ' + event.violatedDirective + ' ' + event.blockedURI + ' ' + event.sample);
});
"""


def chromium() -> str | None:
    """Return the browser's program, if there is one."""
    named = os.environ.get("MODELWARD_CHROMIUM")
    return named or shutil.which("chromium") or shutil.which("chromium-browser")


def sign_in(browser: Browser, served: Served, folder: Path) -> Path:
    """Open the printed address, and keep the cookie that comes of it."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(served.opening)
    assert page.url == f"{served.console}/"
    context.storage_state(path=folder / "state.json")
    context.close()
    return folder / "state.json"


@dataclass
class Visitor:
    """One page of one person; `complaints` is empty as long as the page keeps to what it may do."""

    page: Page
    origin: str
    complaints: list[str] = field(default_factory=list)
    expected: tuple[str, ...] = ()
    """Complaints of the browser that a test is about, such as the status of a refused page."""

    @classmethod
    @contextmanager
    def at(cls, browser: Browser, origin: str, state: Path, **context: Any) -> Iterator[Visitor]:
        """Open a page with a session."""
        made = browser.new_context(storage_state=state, viewport=context.pop("viewport", DESK), **context)
        made.set_default_timeout(30_000)
        visitor = cls(made.new_page(), origin)
        visitor.watch()
        yield visitor
        made.close()

    def watch(self) -> None:
        """Note errors, reports of the policy, dialogs, and requests to anywhere else."""
        page = self.page
        page.add_init_script(_WATCH)
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.complaints.append(f"script failed: {error}"))
        page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))
        page.on("request", self._asked)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not any(one in message.text for one in self.expected):
            self.complaints.append(f"{message.type}: {message.text[:300]}")

    def _asked(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if f"{parts.scheme}://{parts.netloc}" != self.origin:
            self.complaints.append(f"asked elsewhere: {request.url[:300]}")

    def go(self, path: str) -> Page:
        """Open a path."""
        self.page.goto(self.origin + path)
        return self.page

    def picture(self, name: str) -> None:
        """Keep a picture of the whole page."""
        ARTEFACTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=ARTEFACTS / f"{name}.png", full_page=True)

    def barriers(self) -> list[str]:
        """Return what axe-core finds serious or critical."""
        self.page.evaluate(AXE)
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{one['id']}: {one['help']} at {node['target']} {node.get('failureSummary', '')[:300]}"
            for one in found["violations"]
            if one["impact"] in ("serious", "critical")
            for node in one["nodes"]
        ]

    def too_wide(self) -> int:
        """Return by how many pixels the page is wider than the screen."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
