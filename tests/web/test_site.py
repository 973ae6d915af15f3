"""The static site: the same as the listener shows, and nothing of anybody else's is touched."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mau.content.binding import PUBLIC
from mau.deletion.publishing import delete_post
from mau.errors import NotAFile, TreeError
from mau.web import site as site_module
from mau.web.shelf import Shelf, library_for
from mau.web.site import MANIFEST, Exported, export_site
from tests.server.world import Someone, audience
from tests.web.test_app import showing

Export = Callable[[], Exported]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return tmp_path / "www" / "alice"


@pytest.fixture
def export(alice: Someone, site: Path) -> Export:
    def run() -> Exported:
        with library_for(alice.account, alice.keyring) as library:
            return export_site(Shelf(alice.account, library), site)

    return run


def files(site: Path) -> dict[str, bytes]:
    return {str(path.relative_to(site)): path.read_bytes() for path in site.rglob("*") if path.is_file()}


def test_it_holds_what_is_public_and_nothing_else(
    alice: Someone, bob: Someone, site: Path, export: Export
) -> None:
    alice.post("hello ü", PUBLIC)
    alice.publish("notes.txt", b"words", PUBLIC)
    alice.post("for-bob", audience(alice, bob))
    done = export()
    fpr = alice.fingerprint
    assert files(site).keys() == {
        "index.html",
        "feed.atom",
        "key.asc",
        "posts/hello ü.html",
        "posts/notes.txt.html",
        f"p2p/{fpr}/index.json",
        f"p2p/{fpr}/hello ü.pgp",
        f"p2p/{fpr}/notes.txt.pgp",
        MANIFEST,
    }
    assert (done.posts, len(done.written), done.same) == (2, 8, 0)
    assert not [path for path, content in files(site).items() if b"for-bob" in content]
    assert (site / "index.html").stat().st_mode & 0o444 == 0o444 & ~_umask()


def _umask() -> int:
    now = os.umask(0)
    os.umask(now)
    return now


async def test_it_is_what_the_listener_shows(alice: Someone, site: Path, export: Export) -> None:
    for number in range(22):
        alice.post(f"number {number}", PUBLIC)
    await asyncio.to_thread(export)
    async with showing(alice) as browser:
        for path, content in files(site).items():
            if path.startswith(("index", "page")) or path == MANIFEST:
                continue
            assert (await browser.get("/" + path.replace(" ", "%20"))).body == content
        for page in (1, 2):
            shown = (await browser.get(f"/?page={page}")).text.replace("index.html?page=2", "page-2.html")
            assert shown == (site / ("index.html" if page == 1 else "page-2.html")).read_text()


def test_a_second_run_writes_what_changed_and_removes_what_is_gone(
    alice: Someone, site: Path, export: Export
) -> None:
    path = alice.post("vanishing", PUBLIC)
    alice.post("two", PUBLIC)
    export()
    again = export()
    assert (again.written, again.removed, again.same) == ([], [], 8)
    path.unlink()
    done = export()
    assert sorted(done.removed) == [f"p2p/{alice.fingerprint}/vanishing.pgp", "posts/vanishing.html"]
    assert sorted(done.written) == ["feed.atom", "index.html", f"p2p/{alice.fingerprint}/index.json"]
    assert not [
        name for name, content in files(site).items() if b"vanishing" in content or "vanishing" in name
    ]


def test_what_it_did_not_write_stays(alice: Someone, site: Path, export: Export) -> None:
    site.mkdir(parents=True)
    (site / "about.html").write_text("mine")
    (site / "posts").mkdir()
    (site / "posts" / "old.html").write_text("mine")
    path = alice.post("one", PUBLIC)
    export()
    (site / "posts" / "one.html").write_text("now mine")
    path.unlink()
    assert export().kept == ["posts/one.html"]
    assert export().kept == []
    for name in ("about.html", "posts/old.html", "posts/one.html"):
        assert "mine" in (site / name).read_text()


@pytest.mark.parametrize("name", ["index.html", "posts/one.html", "feed.atom"])
def test_what_is_in_the_way_is_left_and_named(alice: Someone, site: Path, export: Export, name: str) -> None:
    alice.post("one", PUBLIC)
    (site / name).parent.mkdir(parents=True)
    (site / name).write_text("mine")
    with pytest.raises(NotAFile, match="in the way"):
        export()
    assert files(site) == {name: b"mine"}


def test_a_run_that_was_cut_off_is_finished_by_the_next(
    alice: Someone, site: Path, export: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = alice.post("one", PUBLIC)
    alice.post("two", PUBLIC)
    real = site_module._replace
    for last in range(1, 10):
        with monkeypatch.context() as patch:
            calls = iter(range(last))

            def cut(place: Path, write: object, calls: object = calls) -> bool:
                if next(calls, None) is None:  # type: ignore[call-overload]
                    raise KeyboardInterrupt
                return real(place, write)  # type: ignore[arg-type]

            patch.setattr(site_module, "_replace", cut)
            with pytest.raises(KeyboardInterrupt):
                export()
        content = path.read_bytes()
        path.unlink()
        export()
        assert not [name for name in files(site) if "one" in name]
        path.write_bytes(content)
        shutil.rmtree(site)
    assert export().posts == 2


@pytest.mark.parametrize(
    "content", ["", "[]", "{", '{"fingerprint": "x", "files": {"../x": null}}', '{"files": {}}']
)
def test_a_damaged_manifest_stops_it(alice: Someone, site: Path, export: Export, content: str) -> None:
    site.mkdir(parents=True)
    (site / MANIFEST).write_text(content)
    with pytest.raises(TreeError, match="damaged"):
        export()


def test_the_site_of_another_is_not_taken_over(
    alice: Someone, bob: Someone, site: Path, export: Export
) -> None:
    export()
    with library_for(bob.account, bob.keyring) as library, pytest.raises(TreeError, match="another's"):
        export_site(Shelf(bob.account, library), site)
    assert json.loads((site / MANIFEST).read_text())["fingerprint"] == alice.fingerprint.hex


def test_a_delete_is_for_followers_and_no_post(alice: Someone, site: Path, export: Export) -> None:
    alice.post("kettle", PUBLIC)
    alice.post("pot", PUBLIC)
    export()
    [said] = delete_post(alice.account, alice.keyring, "kettle.pgp").published
    export()
    found = files(site)
    assert f"p2p/{alice.fingerprint}/kettle.pgp" not in found
    listing = json.loads(found[f"p2p/{alice.fingerprint}/index.json"])
    assert {one["name"] for one in listing} == {"pot.pgp", said.name}
    assert f"p2p/{alice.fingerprint}/{said.name}" in found
    stem = said.name.removesuffix(".pgp")
    for page in ("index.html", "feed.atom"):
        assert b"pot" in found[page]
        assert stem.encode() not in found[page]
