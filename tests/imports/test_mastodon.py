"""An archive of Mastodon in every form: posts with pictures, answers and dates; twice; hostile ones."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mau.content.address import post_iri
from mau.content.binding import PUBLIC, Audience
from mau.deletion.publishing import delete_post
from mau.errors import ArchiveDamaged, NoSuchPost
from mau.imports import archive, moving
from mau.imports.archive import Archive
from mau.imports.found import Found, FoundFile
from mau.imports.mastodon import read_archive
from mau.imports.moving import move, open_archive
from mau.imports.storing import Report, Store
from mau.reader.open import open_post
from tests.publish.world import Someone, World

HOME = "https://social.example/users/ann"
ANYBODY = "https://www.w3.org/ns/activitystreams#Public"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000002000000020802000000fdd49a730000001649444154789c63e4e4e46460606062"
    "60606060600000016e001f5e7e9d2e0000000049454e44ae426082"
)


def note(number: int, content: str, **words: Any) -> dict[str, Any]:
    """One activity of an outbox, as Mastodon writes it."""
    own = f"{HOME}/statuses/{number}"
    said = {
        "id": own,
        "type": "Note",
        "summary": None,
        "inReplyTo": None,
        "published": f"2022-11-{number:02}T10:00:00Z",
        "url": f"https://social.example/@ann/{number}",
        "attributedTo": HOME,
        "to": [ANYBODY],
        "cc": [f"{HOME}/followers"],
        "sensitive": False,
        "content": content,
        "contentMap": {"en": content},
        "attachment": [],
        "tag": [],
    } | words
    to = {"to": said["to"], "cc": said["cc"]}
    return (
        {"id": f"{own}/activity", "type": "Create", "actor": HOME, "published": said["published"]}
        | to
        | {"object": said}
    )


ACTIVITIES = [
    note(
        1,
        '<p>Hello <a href="https://social.example/tags/tea" class="mention hashtag" rel="tag">'
        "#<span>tea</span>"
        "</a> &amp; all</p><p>Second</p>",
        tag=[{"type": "Hashtag", "name": "#tea", "href": "https://social.example/tags/tea"}],
    ),
    note(2, "<p>More of it</p>", inReplyTo=f"{HOME}/statuses/1"),
    note(
        3,
        "<p>To <span>you</span></p>",
        inReplyTo="https://other.example/users/bo/statuses/9",
        summary="Careful",
    ),
    note(
        4,
        "<p>Look</p>",
        attachment=[
            {
                "type": "Document",
                "mediaType": "image/png",
                "url": "/media_attachments/files/1/original/a.png",
                "name": "A dot",
            }
        ],
    ),
    note(5, "<p>Friends only</p>", to=[f"{HOME}/followers"], cc=[]),
    note(6, "<p>Psst</p>", to=["https://other.example/users/bo"], cc=[]),
    {
        "id": f"{HOME}/statuses/7/activity",
        "type": "Announce",
        "published": "2022-11-07T10:00:00Z",
        "to": [ANYBODY],
        "cc": [],
        "object": "https://other.example/users/bo/statuses/1",
    },
    {"type": "Delete"},
    "junk",
]
ACTOR = {"type": "Person", "id": HOME, "preferredUsername": "ann"}


def files(activities: list[Any]) -> dict[str, bytes]:
    return {
        "outbox.json": json.dumps({"type": "OrderedCollection", "orderedItems": activities}).encode(),
        "actor.json": json.dumps(ACTOR).encode(),
        "likes.json": b"{}",
        "media_attachments/files/1/original/a.png": PNG,
    }


def as_folder(place: Path, held: dict[str, bytes]) -> Path:
    for name, data in held.items():
        (place / "folder" / name).parent.mkdir(parents=True, exist_ok=True)
        (place / "folder" / name).write_bytes(data)
    return place / "folder"


def as_zip(place: Path, held: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(place / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in held.items():
            archive.writestr(f"archive-1/{name}", data)
    return place / "a.zip"


def as_tar(place: Path, held: dict[str, bytes]) -> Path:
    with tarfile.open(place / "a.tar.gz", "w:gz") as archive:
        for name, data in held.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return place / "a.tar.gz"


def imported(someone: Someone, path: Path, audience: Audience, **how: bool) -> Report:
    archive, finding = open_archive(path, boosts=how.get("boosts", False))
    assert finding.title == "@ann@social.example"
    return move(
        Store(someone.account, someone.keyring, dry=how.get("dry", False)), archive, finding, audience
    )


@pytest.mark.parametrize("pack", [as_folder, as_zip, as_tar])
def test_what_i_wrote_becomes_my_posts(
    world: World, tmp_path: Path, pack: Callable[[Path, dict[str, bytes]], Path]
) -> None:
    alice = world.alice
    path = pack(tmp_path, files(ACTIVITIES))
    report = imported(alice, path, PUBLIC)
    assert report.left_out == {
        "for followers only there, and --public is wider": 1,
        "for single people there (--me takes these, too)": 1,
        "you only passed it on (--boosts takes these, too)": 1,
        "neither a post nor a boost": 1,
    }
    first, second, third, fourth = (
        open_post(alice.account, alice.keyring, alice.fpr, name) for name in report.new
    )
    assert first.document and second.document and third.document and fourth.document
    assert first.document["articleBody"] == "Hello #tea & all\n\nSecond"
    assert first.document["keywords"] == ["tea"]
    assert first.document["datePublished"] == "2022-11-01T10:00:00Z"
    assert first.document["sameAs"] == "https://social.example/@ann/1"
    assert first.document["inLanguage"] == "en"
    assert first.name.startswith("2022-11-01-") and first.audience is PUBLIC
    assert (second.document["@type"], second.document["text"]) == ("Comment", "More of it")
    assert second.document["parentItem"] == {
        "@id": post_iri(alice.fpr, first.name),
        "sha256": alice.account.posts().sha256(first.name),
    }
    assert third.document["parentItem"]["url"] == "https://other.example/users/bo/statuses/9"
    assert third.document["headline"] == "Careful"
    [picture] = fourth.document["associatedMedia"]
    assert (picture["description"], picture["@type"]) == ("A dot", "ImageObject")
    again = imported(alice, path, PUBLIC)
    assert (again.new, again.changed, again.same) == ([], [], 4)


def test_for_myself_everything_comes_and_names_tell_nobody_which_it_is(world: World, tmp_path: Path) -> None:
    alice, bob = world.alice, world.bob
    path = as_folder(tmp_path, files(ACTIVITIES))
    dry = imported(alice, path, world.for_(), boosts=True, dry=True)
    before = alice.account.posts().names()
    report = imported(alice, path, world.for_(), boosts=True)
    assert dry.new == report.new and len(report.new) == 7
    assert not set(before) & set(report.new), "a dry run writes nothing"
    boost = open_post(alice.account, alice.keyring, alice.fpr, report.new[-1])
    assert boost.document is not None and boost.document["@type"] == "ShareAction"
    assert boost.document["object"]["url"] == "https://other.example/users/bo/statuses/1"
    others = imported(bob, path, frozenset({bob.fpr}), boosts=True, dry=True)
    assert not set(others.new) & set(report.new)


def test_a_run_that_was_cut_off_is_gone_on_with_and_what_i_deleted_stays_so(
    world: World, tmp_path: Path
) -> None:
    alice = world.alice
    first = imported(alice, as_folder(tmp_path, files(ACTIVITIES[:2])), PUBLIC)
    delete_post(alice.account, alice.keyring, first.new[1])
    report = imported(alice, as_zip(tmp_path, files(ACTIVITIES)), PUBLIC)
    assert (len(report.new), report.same, report.left_out["you deleted it here"]) == (2, 1, 1)


def test_hostile_archives_lead_nowhere(world: World, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(PNG)
    wanted = ["../secret", str(secret), "media/link.png", "media/hard.png", "media/missing.png"]
    posts = [note(number, "<p>x</p>", attachment=[{"url": url}]) for number, url in enumerate(wanted, 1)]
    held = {name: data for name, data in files(posts).items() if name.endswith(".json")}
    folder = as_folder(tmp_path, held)
    (folder / "media").mkdir()
    (folder / "media" / "link.png").symlink_to(secret)
    tar = as_tar(tmp_path, held)
    with tarfile.open(tmp_path / "b.tar", "w") as archive:
        for name, data in held.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        for name, kind in (("media/link.png", tarfile.SYMTYPE), ("media/hard.png", tarfile.LNKTYPE)):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, str(secret)
            archive.addfile(member)
    for number, path in enumerate((folder, tmp_path / "b.tar")):
        someone = (world.alice, world.bob)[number]
        report = imported(someone, path, frozenset({someone.fpr}))
        assert len(report.new) == 5 and report.left_out == {
            "files that are not in the archive, or too large": 5
        }
        assert not any(name.endswith(".png.pgp") for name in someone.account.posts().names())
    tar.write_bytes(tar.read_bytes()[:150])
    for broken in (tar, secret, tmp_path / "nothing"):
        with pytest.raises((ArchiveDamaged, NoSuchPost)):
            open_archive(broken)


@pytest.mark.parametrize("pack", [as_zip, as_tar])
def test_what_lies_unpacked_at_one_time_is_bounded(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pack: Callable[[Path, dict[str, bytes]], Path]
) -> None:
    held = {f"media/{number}.png": bytes(1000) for number in range(8)}
    opened = Archive(pack(tmp_path, files([]) | held))
    sizes = opened.sizes([*held, "media/missing.png"])
    assert sizes == dict.fromkeys(held, 1000)
    monkeypatch.setattr(archive, "MAX_TOGETHER", 3500)
    with opened.files(held) as found:
        assert [path.stat().st_size for path in found.values()] == [1000] * 3
    monkeypatch.setattr(moving, "_BYTES_AT_ONCE", 3500)
    posts = [Found(str(number), {}, None, files=(FoundFile(place),)) for number, place in enumerate(held)]
    posts.insert(5, Found("large", {}, None, files=tuple(map(FoundFile, held))))
    portions = [[one.id for one in portion] for portion in moving._portions(posts, sizes)]
    assert portions == [["0", "1", "2"], ["3", "4"], ["large"], ["5", "6", "7"]]


def test_no_outbox_is_too_strange() -> None:
    for outbox in (None, [], {"orderedItems": 7}, {"orderedItems": [{"type": "Create", "object": "x"}]}):
        assert read_archive(outbox, outbox).items == ()
    strange = note(1, "x") | {"to": 3, "cc": None}
    strange["object"] |= {"to": None, "cc": None, "published": "x" * 99, "tag": 3, "attachment": {}, "url": 5}
    [found] = read_archive({"orderedItems": [strange]}, {}).items
    assert found.reach == "direct" and found.published is not None
