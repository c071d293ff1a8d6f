"""Text of callers and models stays text, whatever it says."""

from __future__ import annotations

from urllib.parse import quote

from browser_page import Visitor
from hostile_text import hostile_texts
from playwright.sync_api import expect


def test_200_hostile_transcripts_do_no_harm(visitor: Visitor) -> None:
    page = visitor.go("/e/retail/hostile/transcripts")
    title, seen, shown = page.title(), 0, ""
    while True:
        assert page.title() == title
        assert page.locator(".tx *:not(.mask), .list .t *:not(.mask)").count() == 0, "text became an element"
        assert page.locator("main script, main iframe, main img, main object, main embed, main style").count() == 0
        assert page.locator("body > *").count() == 4, "nothing broke out of its place"
        seen += page.locator("#list li").count()
        shown += "".join(page.locator("#list .t").all_text_contents())
        following = page.get_by_role("link", name="Go on")
        if not following.count():
            break
        following.click()
        page.wait_for_load_state()
    assert seen == len(hostile_texts(200))
    for piece in ("<script>document.title='owned'</script>", "{{ 7*7 }}", "hx-get='https://evil.example/'"):
        assert piece in shown, "shown as it was written"


def test_each_of_them_opened_is_shown_as_it_was_written(visitor: Visitor) -> None:
    page = visitor.go("/e/retail/hostile/transcripts")
    title = page.title()
    for number in range(10):
        page.locator("#list a").nth(number).click()
        page.wait_for_load_state()
        assert page.title() == title
        assert page.locator(".tx *:not(.mask)").count() == 0
        assert visitor.too_wide() <= 0
    expect(page.locator(".tx").first).to_be_visible()


def test_hostile_words_in_addresses_and_fields_stay_words(visitor: Visitor) -> None:
    visitor.expected = ("404", "400")
    for word in hostile_texts(24):
        text = word.encode("utf-8", "replace").decode()[:300].replace("\x00", "")
        page = visitor.go(f"/?q={quote(text)}")
        expect(page.get_by_label("Find by name")).to_be_visible()
        assert page.locator("main script, main iframe, main img").count() == 0
        assert "owned" not in page.title()
    visitor.go("/e/%3Cscript%3E/%22onload=alert(1)")
    visitor.go("/alerts?ns=%22%3E%3Cscript%3Ealert(1)%3C/script%3E&done=%3Cb%3E")
