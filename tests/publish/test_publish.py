"""What is published: for whom it opens, what it states, and what becomes of what it replaces."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from mau.content.binding import (
    MAX_FILE_AUDIENCE,
    PUBLIC,
    Audience,
    Statement,
    audience_of,
    notations_for,
)
from mau.content.posting import compose_posting
from mau.errors import InvalidName, KeyRefused, KeyRevoked, NotReadable, UsageError
from mau.fingerprint import Fingerprint
from mau.openpgp import Certificate, Kind, open_message, read_head
from mau.openpgp.packets import split
from mau.publish import choose_name, file_words, publish_document, publish_file
from mau.reader.open import OpenedPost, open_post
from mau.tree.names import KEYRING_NAME
from tests.publish.world import Someone, World, message

NAME = "x.json.pgp"
TEXT = {"@type": "SocialMediaPosting", "articleBody": "Guten Tag"}


def publish(
    world: World, audience: Audience, document: dict[str, Any] = TEXT, name: str = NAME
) -> OpenedPost:
    publish_document(world.alice.account, world.alice.keyring, document, name, audience)
    return open_by(world.alice, world.alice, name)


def open_by(reader: Someone, author: Someone, name: str = NAME, version: str | None = None) -> OpenedPost:
    return open_post(reader.account, reader.keyring, author.fpr, name, version)


# --- for whom ----------------------------------------------------------------------------------------------


def test_a_post_opens_for_its_audience_and_nobody_else(world: World) -> None:
    audience = world.for_(world.bob)
    own = publish(world, audience)
    world.bob.fetch(world.alice, NAME)
    theirs = open_by(world.bob, world.alice)
    for post in (own, theirs):
        assert post.statement == Statement(NAME, audience)
        assert post.document is not None
        assert post.document["articleBody"] == "Guten Tag"
        assert post.opened.encrypted
        assert post.opened.signer == world.alice.fpr
        assert post.notes == ()
    world.carol.fetch(world.alice, NAME)
    with pytest.raises(NotReadable):
        open_by(world.carol, world.alice)


def test_the_author_is_the_first_recipient_and_always_one(world: World) -> None:
    publish(world, frozenset({world.bob.fpr, world.carol.fpr}))
    with world.alice.account.posts().open(NAME) as file:
        head = read_head(file)
    owners = [world.alice.keyring.owner_of(keyid) for keyid in head.recipients]
    assert owners[0] == world.alice.fpr
    assert set(owners) == world.for_(world.bob, world.carol)


def test_for_myself_alone(world: World) -> None:
    post = publish(world, frozenset())
    assert post.audience == {world.alice.fpr}
    assert len(post.opened.recipients) == 1


def test_a_public_post_needs_no_key(world: World) -> None:
    assert publish(world, PUBLIC).audience is PUBLIC
    with world.alice.account.posts().open(NAME) as file:
        assert read_head(file).kind is Kind.SIGNED
    with world.alice.account.posts().open(NAME) as file:
        opened = open_message(file, key=None, author=world.alice.certificate)
    assert not opened.encrypted
    assert b"Guten Tag" in (opened.data or b"")


@pytest.mark.parametrize("audience", ["public", "bob"])
def test_a_file_keeps_its_bytes_and_states_the_rest_beside_them(world: World, audience: str) -> None:
    whom: Audience = PUBLIC if audience == "public" else world.for_(world.bob)
    content = bytes(range(256)) * 10
    source = io.BytesIO(b"skipped" + content)
    source.seek(7)
    done = publish_file(
        world.alice.account, world.alice.keyring, source, "2026-11-20-abc.pgp", whom, "Größe 1.bin"
    )
    assert (done.name, done.replaced, done.audience) == ("2026-11-20-abc.pgp", None, whom)
    post = open_by(world.alice, world.alice, done.name)
    assert post.opened.data == content
    assert post.statement == Statement(done.name, whom)
    assert post.filename == "Größe 1.bin"
    stored = (world.alice.account.posts().path / done.name).read_bytes()
    assert ("Größe".encode() in stored) == (audience == "public")


def test_a_json_file_states_what_its_signature_says(world: World) -> None:
    inside = json.dumps({"@context": "https://schema.org", "@id": "https://example.org/1", "audience": []})
    source = io.BytesIO(inside.encode())
    publish_file(world.alice.account, world.alice.keyring, source, NAME, world.for_(world.bob))
    assert open_by(world.alice, world.alice).statement == Statement(NAME, world.for_(world.bob))


# --- who cannot be written to ------------------------------------------------------------------------------


def test_nobody_unknown_is_written_to(world: World) -> None:
    with pytest.raises(KeyRefused, match="no key"):
        publish(world, world.for_(world.mallory))
    assert world.alice.account.posts().entry(NAME) is None


def test_a_key_file_that_another_program_put_there_makes_nobody_a_recipient(world: World) -> None:
    file = message(world.alice.key, bytes(world.mallory.certificate), [])
    world.alice.account.root.key_file(world.mallory.fpr).write_bytes(file)
    world.alice.keyring.refresh()
    assert world.alice.keyring.certificate(world.mallory.fpr) is not None
    with pytest.raises(KeyRefused, match="not confirmed"):
        publish(world, world.for_(world.mallory))


def test_a_known_key_that_was_confirmed_may_be_named(world: World) -> None:
    world.alice.keyring.add(world.mallory.certificate, "mallory", known=True)
    assert publish(world, world.for_(world.mallory)).audience == world.for_(world.mallory)


def test_a_revoked_friend_is_named_with_the_reason(world: World) -> None:
    armored = world.bob.key.revocation_certificate()
    dearmored = subprocess.run(
        ["gpg", "--dearmor"], input=armored.encode(), capture_output=True, check=True
    ).stdout
    first, *rest = [raw for _, _, raw in split(bytes(world.bob.certificate))]
    revoked = Certificate.parse(b"".join([first, dearmored, *rest]))
    world.alice.keyring.add(revoked)
    with pytest.raises(KeyRevoked, match="for bob"):
        publish(world, world.for_(world.bob, world.carol))


# --- again under the same name -----------------------------------------------------------------------------


def test_what_is_replaced_becomes_a_version_and_is_signed_before(world: World) -> None:
    seen = []
    for number in range(4):
        done = publish_document(
            world.alice.account, world.alice.keyring, {"name": str(number)}, NAME, world.for_()
        )
        assert done.replaced == (seen[-1][0] if seen else None)
        seen.append((done.sha256, open_by(world.alice, world.alice).signed_at))
    times = [signed_at for _, signed_at in seen]
    assert times == sorted(set(times))
    assert {version.sha256 for version in world.alice.account.posts().versions(NAME)} == {
        sha256 for sha256, _ in seen[:-1]
    }
    first = open_by(world.alice, world.alice, version=seen[0][0])
    assert first.document is not None
    assert first.document["name"] == "0"
    assert first.statement.name == NAME


def test_a_large_file_is_signed_after_what_it_replaces(world: World) -> None:
    def share(size: int) -> None:
        source = io.BytesIO(bytes(size))
        publish_file(world.alice.account, world.alice.keyring, source, NAME, world.for_())

    share(17 << 20)
    share(1)
    post = world.alice.account.posts()
    [version] = post.versions(NAME)
    older = open_by(world.alice, world.alice, version=version.sha256).signed_at
    assert open_by(world.alice, world.alice).signed_at > older


def test_what_does_not_hold_is_replaced_without_believing_its_time(world: World) -> None:
    ahead = int(time.time()) + 1000
    forged = message(world.mallory.key, b"{}", [world.alice], created=ahead)
    world.alice.put(world.alice, NAME, forged)
    assert publish(world, PUBLIC).signed_at < ahead
    assert len(world.alice.account.posts().versions(NAME)) == 1


def test_two_writers_of_one_name_lose_nothing(world: World) -> None:
    each = 8

    def write(who: str) -> None:
        for number in range(each):
            document = {"name": f"{who}{number}"}
            publish_document(world.alice.account, world.alice.keyring, document, NAME, PUBLIC)

    threads = [threading.Thread(target=write, args=(who,)) for who in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    versions = world.alice.account.posts().versions(NAME)
    posts = [
        open_by(world.alice, world.alice),
        *(open_by(world.alice, world.alice, version=one.sha256) for one in versions),
    ]
    assert {post.document["name"] for post in posts if post.document} == {
        f"{who}{number}" for who in "ab" for number in range(each)
    }
    assert len({post.signed_at for post in posts}) == 2 * each
    assert posts[0].signed_at == max(post.signed_at for post in posts)


# --- what cannot be published ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [KEYRING_NAME, "Keyring.JSON.pgp"])
def test_the_keyring_statement_is_no_post(world: World, name: str) -> None:
    with pytest.raises(InvalidName):
        publish(world, world.for_(), name=name)
    with pytest.raises(InvalidName):
        choose_name(world.alice.account, world.for_(), given=name)


@pytest.mark.parametrize("name", ["x", "../x.pgp", ".x.pgp", "", "a/b.pgp"])
def test_a_post_has_a_whole_and_valid_name(world: World, name: str) -> None:
    with pytest.raises(InvalidName):
        publish(world, PUBLIC, name=name)


def test_a_document_that_nobody_could_read_is_refused(world: World) -> None:
    deep: Any = 1
    for _ in range(70):
        deep = [deep]
    for document in (
        {"x": "y" * (1 << 20)},
        {"x": deep},
        {"x": float("nan")},
        {"x": b"bytes"},
        {"@context": "https://example.org"},
    ):
        with pytest.raises(UsageError):
            publish(world, PUBLIC, document)
    assert world.alice.account.posts().entry(NAME) is None


def test_too_many_people_are_refused_before_anything_is_written(world: World) -> None:
    crowd = frozenset(Fingerprint(number.to_bytes(20, "big")) for number in range(1000))
    with pytest.raises(UsageError, match="999 people"):
        publish(world, crowd)


def test_gnupg_reads_the_longest_statement_that_a_file_can_have(world: World, tmp_path: Path) -> None:
    crowd = [Fingerprint(bytes([number]) * 20) for number in range(1, MAX_FILE_AUDIENCE)]
    name = "ü" * 121 + ".pgp"
    notes = notations_for(world.alice.fpr, name, audience_of(world.alice.fpr, crowd), "ß" * 127 + "x")
    home = tmp_path / "gpg"
    home.mkdir(mode=0o700)
    (home / "key").write_bytes(bytes(world.alice.certificate))
    (home / "message").write_bytes(message(world.alice.key, b"x", None, notes))
    gpg = ["gpg", "--homedir", str(home), "--batch", "--no-autostart", "--status-fd", "1"]
    subprocess.run([*gpg, "--import", str(home / "key")], capture_output=True, check=True)
    done = subprocess.run([*gpg, "-d", str(home / "message")], capture_output=True, check=True)
    assert b"GOODSIG" in done.stdout
    assert done.stdout.count(b"mau:/p2p/") > 100


def test_a_lone_surrogate_survives(world: World) -> None:
    post = publish(world, PUBLIC, {"articleBody": "a\ud800b"})
    assert post.document is not None
    assert post.document["articleBody"] == "a\ud800b"


# --- names -------------------------------------------------------------------------------------------------


def test_names_of_posts(world: World) -> None:
    account = world.alice.account
    friends = world.for_(world.bob)
    assert choose_name(account, friends, given="Tea at 4") == "Tea at 4.pgp"
    assert choose_name(account, friends, given="u\u0308.pgp") == "\u00fc.pgp"
    assert (
        choose_name(account, PUBLIC, words="Hello, big World!", suffix=".json") == "hello-big-world.json.pgp"
    )
    private = choose_name(account, friends, words="Hello, big World!", suffix=".json")
    assert "hello" not in private
    assert private.endswith(".json.pgp")
    assert choose_name(account, PUBLIC, words="?!", suffix=".json") != private
    assert choose_name(account, PUBLIC, words="keyring", suffix=".json") == "keyring-2.json.pgp"


def test_a_chosen_name_is_never_a_held_one_a_given_name_may_be(world: World) -> None:
    account = world.alice.account
    publish(world, PUBLIC, name="hello.json.pgp")
    assert choose_name(account, PUBLIC, words="Hello!", suffix=".json") == "hello-2.json.pgp"
    publish(world, PUBLIC, name="hello-2.json.pgp")
    assert choose_name(account, PUBLIC, words="Hello!", suffix=".json") == "hello-3.json.pgp"
    assert choose_name(account, PUBLIC, given="hello.json") == "hello.json.pgp"
    with pytest.raises(InvalidName, match="differs from 'hello"):
        choose_name(account, PUBLIC, given="Hello.json")


@pytest.mark.parametrize(
    ("filename", "words"),
    [
        ("Holiday 1.JPG", ("Holiday 1", ".jpg")),
        ("a.tar.gz", ("a.tar", ".gz")),
        ("README", ("README", "")),
        (".bashrc", (".bashrc", "")),
        ("a.b and more words", ("a.b and more words", "")),
    ],
)
def test_words_of_a_file_name(filename: str, words: tuple[str, str]) -> None:
    assert file_words(filename) == words


def test_names_of_public_files(world: World) -> None:
    def name(filename: str) -> str:
        words, suffix = file_words(filename)
        return choose_name(world.alice.account, PUBLIC, words=words, suffix=suffix)

    assert name("Holiday 1.JPG") == "holiday-1.jpg.pgp"
    assert name("a.tar.gz") == "a-tar.gz.pgp"
    assert name("Grüße aus Łódź.txt") == "grüße-aus-łódź.txt.pgp"
    assert name("x" * 300) == f"{'x' * 48}.pgp"


# --- large -------------------------------------------------------------------------------------------------

# The peak is read from /proc: what getrusage says counts the memory of whoever started the process, too.
_SHARE_AND_OPEN = """
import re, sys
from pathlib import Path
from mau.account import Account
from mau.keyring import Keyring
from mau.publish import publish_file
from mau.reader.open import open_post
from mau.tree.layout import Root
tree, source, sink, passphrase = sys.argv[1:]
account = Account.open(Root(Path(tree)), passphrase)
keyring = Keyring.load(account)
with open(source, "rb") as file:
    publish_file(account, keyring, file, "big.pgp", frozenset(p.fingerprint for p in keyring.friends()))
open_post(account, keyring, account.fingerprint, "big.pgp", sink=Path(sink))
print(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
"""


def _pass_through(world: World, tmp_path: Path, megabytes: int) -> float:
    """The peak memory in MB of a process that shares and opens a file."""
    source, sink = tmp_path / "source", tmp_path / "sink"
    block = bytes(range(256)) * 4096
    with source.open("wb") as file:
        for number in range(megabytes):
            file.write(number.to_bytes(4, "big") + block[4:])
    command = [sys.executable, "-c", _SHARE_AND_OPEN]
    arguments = [str(world.alice.account.root.path), str(source), str(sink), "between friends 11"]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=True, timeout=300)
    assert subprocess.run(["cmp", str(source), str(sink)], check=False).returncode == 0
    return int(done.stdout) / 1000


@pytest.mark.timeout(300)
def test_500_megabytes_pass_in_bounded_memory(world: World, tmp_path: Path) -> None:
    assert _pass_through(world, tmp_path, 500) < 250


def test_a_posting_says_when_and_by_whom(world: World) -> None:
    from datetime import UTC, datetime

    document = compose_posting(world.alice.fpr, "text", datetime(2026, 11, 20, 12, tzinfo=UTC))
    assert document == {
        "@type": "SocialMediaPosting",
        "author": {"@id": f"mau:/p2p/{world.alice.fpr}"},
        "datePublished": "2026-11-20T12:00:00Z",
        "articleBody": "text",
    }
    assert audience_of(world.alice.fpr, []) == {world.alice.fpr}
