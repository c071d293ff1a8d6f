"""Pages serve people without a mouse, without script, and with a screen reader."""

from __future__ import annotations

import re
from pathlib import Path

from browser_page import PHONE, Visitor
from console_pages import PAGES
from console_processes import Served
from playwright.sync_api import Browser, Page, expect

_FOCUS = """(() => {
  const one = document.activeElement, style = getComputedStyle(one.closest('.chip') || one);
  const place = [...document.querySelectorAll('*')].indexOf(one);
  return [one.tagName, style.outlineStyle, parseFloat(style.outlineWidth), place];
})()"""


def _focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.outerHTML.slice(0, 200)"))


def test_by_keyboard_alone_from_the_fleet_to_a_transcript(visitor: Visitor) -> None:
    page = visitor.go("/")
    page.keyboard.press("Tab")
    assert "Skip to content" in _focused(page)
    page.keyboard.press("Enter")
    page.locator("#q").focus()
    for _ in range(60):
        page.keyboard.press("Tab")
        if ">chat<" in _focused(page):
            break
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/e/retail/chat$"))
    page.locator("#strips").focus()
    newest = page.locator("output[data-k=at]").text_content()
    for _ in range(20):
        page.keyboard.press("ArrowLeft")
    expect(page.locator("output[data-k=at]")).not_to_have_text(newest or "")
    expect(page.locator("#said")).to_contain_text("Outcomes")
    page.keyboard.press("Escape")
    expect(page.locator("output[data-k=at]")).to_have_text(newest or "")
    visitor.go("/e/retail/chat/transcripts")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("id="))


def test_a_key_labels_what_is_read(visitor: Visitor) -> None:
    page = visitor.go("/e/retail/chat/transcripts")
    page.keyboard.press("a")
    expect(page.get_by_role("status").first).to_contain_text("Kept")


def test_everything_that_can_be_used_shows_that_it_has_the_focus(visitor: Visitor) -> None:
    for path in PAGES.values():
        page = visitor.go(path)
        seen = set()
        for _ in range(120):
            page.keyboard.press("Tab")
            place = page.evaluate(_FOCUS)
            if place[0] in ("BODY", "HTML") or place[3] in seen:
                break
            seen.add(place[3])
            assert place[1] != "none", (path, _focused(page))
            assert place[2] >= 1, (path, _focused(page))
        assert len(seen) > 5, path


def test_without_script_everything_can_be_read_and_asked(served: Served, browser: Browser, signed_in: Path) -> None:
    with Visitor.at(browser, served.console, signed_in, java_script_enabled=False) as person:
        page = person.page
        for name in PAGES:
            person.go(PAGES[name])
            expect(page.get_by_role("heading", level=1)).to_be_visible()
            person.picture(f"{name}-without-script")
        person.go("/")
        page.get_by_label("Find by name").fill("chat")
        page.get_by_role("button", name="Apply").click()
        expect(page).to_have_url(re.compile("q=chat"))
        page.get_by_role("link", name="chat", exact=True).click()
        for chart in ("Outcomes", "First token", "Replicas"):
            expect(page.get_by_role("img", name=re.compile(chart, re.IGNORECASE)).first).to_be_visible()
        page.get_by_text("The same as a table").click()
        expect(page.get_by_role("region", name="Numbers of the charts").locator("tbody tr")).to_have_count(24)
        page.get_by_role("link", name="7 d", exact=True).click()
        expect(page).to_have_url(re.compile("range=7d"))


def test_without_script_forms_are_sent(served: Served, browser: Browser, signed_in: Path) -> None:
    with Visitor.at(browser, served.console, signed_in, java_script_enabled=False) as person:
        page = person.go("/alerts")
        page.get_by_text("Acknowledge or silence").first.click()
        page.get_by_label("Why", exact=True).first.fill("planned work")
        page.get_by_role("button", name="Silence", exact=True).first.click()
        expect(page.get_by_role("status").first).to_contain_text("Asked for")
        expect(page.locator(".rcv li", has_text="planned work")).to_contain_text("asked for")


def test_a_table_is_still_one_when_its_rows_are_cards(served: Served, browser: Browser, signed_in: Path) -> None:
    with Visitor.at(browser, served.console, signed_in, viewport=PHONE) as person:
        page = person.go("/")
        assert page.get_by_role("cell").count() > 40
        assert page.get_by_role("rowheader", name=re.compile("^chat")).count() == 1
        assert person.barriers() == []


def test_with_more_text_and_less_room_nothing_is_cut_off(visitor: Visitor) -> None:
    """At 200 % text on a 1280 px wide screen the layout has 640 px."""
    visitor.page.set_viewport_size({"width": 640, "height": 900})
    for path in PAGES.values():
        visitor.go(path)
        assert visitor.too_wide() <= 0, path
