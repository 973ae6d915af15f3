"""Searching a tree: what is found, what is not, and what of it lies on the disk."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mau.content.address import Address
from mau.content.binding import PUBLIC
from mau.content.links import Reference
from mau.conversation.compose import comment
from mau.deletion.publishing import delete_post
from mau.errors import UsageError
from mau.marks import Marks
from mau.marks.subject import person, words
from mau.publish import publish_document, publish_file
from mau.reader.reading import Reading
from mau.search import Search
from tests.publish.world import Someone, World, bound, message

NOW = int(time.time())


@contextmanager
def searching(someone: Someone) -> Iterator[Search]:
    with (
        Reading(someone.account, someone.keyring) as reading,
        Search(someone.account, reading, someone.keyring) as search,
    ):
        search.refresh()
        yield search


def write(world: World, author: Someone, name: str, text: str, ago: int = 100, **more: object) -> None:
    """A post of somebody in Alice's tree, readable by her."""
    name = f"{name}.json.pgp"
    world.alice.put(
        author, name, message(author.key, bound(author, name, PUBLIC, text), None, created=NOW - ago)
    )


def found(search: Search, question: str, **filters: object) -> list[str]:
    return [hit.summary.name.partition(".")[0] for hit in search.find(question, **filters)]  # type: ignore[arg-type]


@pytest.fixture
def library(world: World) -> World:
    write(world, world.alice, "kettle", "The kettle is on, and so is the blue bicycle.", 500)
    write(world, world.bob, "rust", "My blue bicycle has rust. #Bicycles", 400)
    write(world, world.bob, "cafe", "Ein Müsli im Café, 5 Straßen weiter", 300)
    write(world, world.carol, "tokyo", "東京都に行きました。とても暑い", 200)
    write(world, world.carol, "blue", "Blue is a colour; a bicycle is none.", 100)
    return world


def test_all_words_in_any_order_newest_first(library: World) -> None:
    with searching(library.alice) as search:
        assert found(search, "bicycle blue") == ["blue", "rust", "kettle"]
        assert found(search, "BICYCLE") == ["blue", "rust", "kettle"]
        assert found(search, '"blue bicycle"') == ["rust", "kettle"]
        assert found(search, '"blue bicycle" -rust') == ["kettle"]
        assert found(search, "bicyc*") == ["blue", "rust", "kettle"]
        assert found(search, "bicyc") == []
        assert found(search, '-"blue bicycle" blue') == ["blue"]
        assert found(search, "nowhere") == []
        assert found(search, "bicycle", limit=1) == ["blue"]


def test_case_and_diacritics_do_not_matter(library: World) -> None:
    with searching(library.alice) as search:
        for word in ("cafe", "CAFÉ", "cafe\u0301", "musli", "MÜSLI", "strassen", "STRAẞEN"):
            assert found(search, word) == ["cafe"], word


def test_what_is_written_without_spaces_is_found_inside(library: World) -> None:
    with searching(library.alice) as search:
        for word in ("東京", "京都", "行きました", "暑"):
            assert found(search, word) == ["tokyo"], word
        assert found(search, "都京") == []


def test_names_of_people_find_what_they_wrote(library: World) -> None:
    with searching(library.alice) as search:
        assert found(search, "bob") == ["cafe", "rust"]
        assert found(search, "bob bicycle") == ["rust"]


def test_filters(library: World) -> None:
    with searching(library.alice) as search:
        assert found(search, "bicycle", authors=[library.bob.fpr]) == ["rust"]
        assert found(search, "bicycle", authors=[]) == []
        assert found(search, "bicycle", since=NOW - 400, until=NOW - 100) == ["rust"]
        assert found(search, "bicycle", tags=["bicycles"]) == ["rust"]
        assert found(search, "", tags=["Bicycles"]) == ["rust"]
        assert found(search, "bicycle", types=["Recipe"]) == []
        assert found(search, "bicycle", types=["socialmediaposting"], limit=2) == ["blue", "rust"]
        with pytest.raises(UsageError):
            search.find("-only")


def test_who_and_what_is_muted_is_not_found_unless_it_is_asked_for(library: World) -> None:
    marks = Marks.load(library.alice.account)
    marks.decide("mute", person(library.carol.fpr))
    marks.decide("mute", words("rust"))
    with searching(library.alice) as search:
        assert found(search, "bicycle") == ["kettle"]
        assert found(search, "bicycle", muted=True) == ["blue", "rust", "kettle"]


def test_file_names_and_texts_of_files_are_found(world: World) -> None:
    alice = world.alice
    publish_file(alice.account, alice.keyring, io.BytesIO(b"\0\1"), "a.pgp", world.for_(), "Holiday 77.jpg")
    publish_file(alice.account, alice.keyring, io.BytesIO(b"buy oat milk"), "b.pgp", world.for_(), "x.txt")
    with searching(alice) as search:
        assert found(search, "holiday") == ["a"]
        assert found(search, "oat") == ["b"]


def test_what_is_deleted_or_replaced_is_found_no_more_and_a_warm_reading_fills_an_empty_index(
    world: World,
) -> None:
    alice = world.alice
    for text in ("first apple", "second apple"):
        name = f"{text.split()[0]}.json.pgp"
        publish_document(alice.account, alice.keyring, {"articleBody": text}, name, world.for_())
    with searching(alice) as search:
        assert sorted(found(search, "apple")) == ["first", "second"]
        delete_post(alice.account, alice.keyring, "first.json.pgp")
        publish_document(
            alice.account, alice.keyring, {"articleBody": "pear"}, "second.json.pgp", world.for_()
        )
        assert found(search, "apple") in ([], ["second"])  # not refreshed: what is shown was opened now
        search.refresh()
        assert (found(search, "apple"), found(search, "pear")) == ([], ["second"])
    with Reading(alice.account, alice.keyring) as reading:
        reading.refresh()
        (alice.account.root.path / ".reader" / "search.image").unlink()
        with Search(alice.account, reading, alice.keyring) as search:
            search.refresh()
            assert found(search, "pear") == ["second"]


def test_nothing_of_it_lies_on_the_disk_in_the_clear(library: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mau.search.search._MOST_LOGGED", 1)
    with searching(library.alice) as search:
        assert found(search, "kettle") == ["kettle"]
    state = list((library.alice.account.root.path / ".reader").iterdir())
    assert {"search.image", "search.log"} <= {one.name for one in state}
    for file in state:
        held = file.read_bytes().lower()
        for word in (b"kettle", b"bicycle", b"rust", library.bob.fpr.hex.encode(), "東京".encode()):
            assert word not in held, (file.name, word)


@pytest.mark.parametrize("logged", [1, 1000])
def test_what_was_found_out_is_not_found_out_again_and_what_others_wrote_is_not_believed(
    library: World, monkeypatch: pytest.MonkeyPatch, logged: int
) -> None:
    monkeypatch.setattr("mau.search.search._MOST_LOGGED", logged)
    alice = library.alice
    with searching(alice) as search:
        assert len(found(search, "bicycle")) == 3
    place = alice.account.root.path / ".reader"
    opened: list[tuple[bytes, str, bytes]] = []
    honest = Reading.open_all

    def counting(self: Reading, contents: Collection[tuple[bytes, str, bytes]]) -> object:
        opened.extend(contents)
        return honest(self, contents)

    with Reading(alice.account, alice.keyring) as reading:
        reading.refresh()
        monkeypatch.setattr(Reading, "open_all", counting)
        with Search(alice.account, reading, alice.keyring) as search:
            search.refresh()
            assert opened == []
            assert len(found(search, "bicycle")) == 3
        for file in ("search.image", "search.log"):
            for change in (_cut, _flipped, _emptied, _others(library)):
                del opened[:]
                kept = (place / file).read_bytes()
                (place / file).write_bytes(change(kept))
                with Search(alice.account, reading, alice.keyring) as search:
                    search.refresh()
                    assert opened or logged == 1, "nothing of it was believed"
                    assert len(found(search, "bicycle")) == 3, (file, change)
                    assert found(search, "tokyo carol 東京") == ["tokyo"]


def _cut(data: bytes) -> bytes:
    return data[:-3]


def _flipped(data: bytes) -> bytes:
    return data[:-3] + bytes([data[-3] ^ 1]) + data[-2:]


def _emptied(data: bytes) -> bytes:
    return b""


def _others(world: World) -> Callable[[bytes], bytes]:
    """The same file as another account writes it."""
    with searching(world.bob):
        pass
    place: Path = world.bob.account.root.path / ".reader"

    def change(data: bytes) -> bytes:
        return (place / "search.image").read_bytes()

    return change


def test_the_line_shown_is_around_what_was_found(library: World) -> None:
    text = "word " * 60 + "the needle in it " + "word " * 60
    write(library, library.bob, "long", text, 50)
    with searching(library.alice) as search:
        [hit] = search.find("needle")
        assert "the needle in it" in hit.snippet and len(hit.snippet) < 150
        assert hit.snippet.startswith("… ") and hit.snippet.endswith(" …")
        assert search.find("東京")[0].snippet.startswith("東京都に")


def test_the_address_that_a_post_answers_is_no_text(library: World) -> None:
    alice, kettle = library.alice, Reference(Address(library.bob.fpr, "rust.json.pgp"), "ab" * 32)
    document = comment(alice.fpr, kettle, "On my way", datetime.now(UTC))
    document["about"] = [
        {"@id": f"/p2p/{library.bob.fpr.hex}", "name": "Robert"},
        {"name": "mau:/p2p and tea"},
    ]
    publish_document(alice.account, alice.keyring, document, "answer.json.pgp", PUBLIC)
    with searching(alice) as search:
        [hit] = search.find("way")
        assert hit.snippet == "On my way Robert mau:/p2p and tea"
        assert found(search, "rust") == ["rust"] and "answer" not in found(search, library.bob.fpr.hex)
