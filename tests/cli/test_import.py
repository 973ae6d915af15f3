"""`mau import`, and `mau follow` of the web."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from mau.account import Account
from tests.cli.conftest import PASSPHRASE, Ended
from tests.cli.web import web_server

Run = Callable[..., Ended]

RSS = b"""<?xml version="1.0"?><rss version="2.0"><channel><title>News</title>
<item><guid>1</guid><title>Rain</title><description>&lt;b&gt;Wet&lt;/b&gt; all day</description></item>
</channel></rss>"""
NOTE = {
    "type": "Create",
    "object": {
        "id": "https://a.example/1",
        "type": "Note",
        "to": ["as:Public"],
        "published": "2022-11-01T10:00:00Z",
        "content": "<p>Hello</p>",
    },
}


def test_what_is_followed_on_the_web_is_copied_listed_refreshed_and_left(mau: Run, alice: Account) -> None:
    with web_server({"/feed": ("application/rss+xml", RSS)}) as url:
        done = mau("follow", f"{url}/feed", passphrase=PASSPHRASE)
        assert done.code == 0, done.err
        assert f"You follow News, {url}/feed: 1 new, 0 held already" in done.err
        assert f"{url}/feed" in mau("follows", passphrase=PASSPHRASE).text
        for words in (("search", "wet"), ("timeline",)):
            found = mau(*words, passphrase=PASSPHRASE)
            assert found.text.startswith("127.0.0.1 (from the web, not signed by it), "), found
        done = mau("import", "--all", "--json", passphrase=PASSPHRASE)
        [source] = json.loads(done.text)["sources"]
        assert (source["new"], source["same"], source["url"]) == ([], 1, f"{url}/feed")
        done = mau("sync", passphrase=PASSPHRASE)
        assert done.code == 0, done.err
        done = mau("unfollow", f"{url}/feed", passphrase=PASSPHRASE)
        assert done.code == 0 and "no longer" in done.err
        assert mau("follow", f"{url}/none", passphrase=PASSPHRASE).code == 5


def test_an_archive_becomes_posts_for_whom_is_said(mau: Run, alice: Account, tmp_path: Path) -> None:
    place = tmp_path / "archive"
    place.mkdir()
    (place / "outbox.json").write_text(json.dumps({"orderedItems": [NOTE]}))
    assert mau("import", place, passphrase=PASSPHRASE).code == 2, "for whom?"
    dry = mau("import", place, "--public", "--dry-run", passphrase=PASSPHRASE)
    assert "It would be: 1 new" in dry.err
    done = mau("import", place, "--public", passphrase=PASSPHRASE)
    assert done.code == 0, done.err
    assert done.text == dry.text and done.text.startswith("2022-11-01-")
    done = mau("import", place, "--public", "--json", passphrase=PASSPHRASE)
    assert json.loads(done.text) == {"new": [], "changed": [], "same": 1, "left_out": {}, "dry_run": False}


def test_a_file_from_the_web_says_where_it_comes_from_and_is_for_nobody_else(
    mau: Run, alice: Account, tmp_path: Path
) -> None:
    (tmp_path / "feed.xml").write_bytes(RSS)
    assert mau("import", tmp_path / "feed.xml", passphrase=PASSPHRASE).code == 2
    words = ("import", tmp_path / "feed.xml", "--from-url", "https://example.org/feed")
    assert mau(*words, "--public", passphrase=PASSPHRASE).code == 2
    assert mau(*words, passphrase=PASSPHRASE).code == 0
