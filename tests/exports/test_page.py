"""A post as a page: everything that others chose is text in it, and it fetches nothing."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from mau.attachments import Attachment, attach
from mau.content.binding import PUBLIC
from mau.content.shown import shown
from mau.exports.gathering import Files
from mau.exports.page import About, page_of
from mau.fingerprint import Fingerprint
from tests.imports.test_mastodon import PNG
from tests.publish.world import World

ME = Fingerprint(b"\x11" * 20)
ABOUT = About("Ann <b>", ME.hex, "mau:/p2p/x", 1_700_000_000, public=True)
ALLOWED = frozenset(
    re.findall(
        r"\w+",
        "html head meta title style body main article p bdi time div footer code h1 dl dt dd ul ol li strong"
        " em a blockquote pre hr br table thead tbody tr th td s h2 h3 h4 h5 h6 figure img figcaption",
    )
)


class Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def check(page: str) -> None:
    for tag, attributes in Tags(page).found:
        assert tag in ALLOWED, tag
        assert not any(name.startswith("on") for name in attributes)
        for name in ("href", "src"):
            value = attributes.get(name)
            assert value is None or re.match(r"https?://|mailto:|#|data:image/", value), value


@given(st.text(), st.text(), st.text())
def test_no_text_becomes_anything_but_text(title: str, body: str, alt: str) -> None:
    document = {
        "@type": "Article",
        "headline": title,
        "articleBody": body + "<img src=x onerror=y>[a](javascript:b)![c](https://d.example/e)",
        "keywords": [alt],
        "image": {"@type": "ImageObject", "contentUrl": "javascript:alert(1)", "description": alt},
    }
    check(page_of(shown(ME, document), ABOUT))


def test_pictures_are_in_the_page_when_they_are_wanted(world: World, tmp_path: Path) -> None:
    alice = world.alice
    (tmp_path / "dot.png").write_bytes(PNG)
    media = attach(alice.account, alice.keyring, [Attachment(tmp_path / "dot.png", alt='A "dot"')], PUBLIC)
    gone = {"@type": "ImageObject", "contentUrl": f"mau:/p2p/{alice.fpr.hex}/gone.pgp", "description": "Gone"}
    document = {"@type": "SocialMediaPosting", "articleBody": "x", "associatedMedia": [*media, gone]}
    files = Files(alice.account, alice.keyring)
    page = page_of(shown(alice.fpr, document), ABOUT, files)
    check(page)
    [picture] = [attributes for tag, attributes in Tags(page).found if tag == "img"]
    assert picture["alt"] == 'A "dot"' and str(picture["src"]).startswith("data:image/png;base64,")
    assert files.missing == 1 and "Gone" in page
    assert "<img" not in page_of(shown(alice.fpr, document), ABOUT)
