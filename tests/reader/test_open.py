"""Opening: whatever does not hold is refused with its own error, and shown anyway only with that error."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import time
from pathlib import Path

import pytest

from mau.account import Account
from mau.content.binding import PUBLIC, UNBOUND, Audience, Statement, notations_for
from mau.errors import (
    BadSignature,
    FromTheFuture,
    Leaked,
    MalformedPost,
    NoSuchPost,
    NotReadable,
    NotSigned,
    PostError,
    Renamed,
    UnboundFromRelay,
    UnknownAuthor,
    UnknownSigner,
)
from mau.fingerprint import Fingerprint
from mau.keyring import Keyring
from mau.openpgp import SecretKey
from mau.publish import publish_document, publish_file
from mau.reader.open import OpenedPost, open_post, open_source
from mau.tree.layout import Root
from tests.publish.world import Someone, World, bound, message

NAME = "x.json.pgp"
VECTORS = Path(__file__).parent.parent / "vectors"


def publish(world: World, audience: Audience, name: str = NAME) -> None:
    publish_document(world.alice.account, world.alice.keyring, {"articleBody": "x"}, name, audience)


def open_(reader: Someone, author: Someone, name: str = NAME, *, anyway: bool = False) -> OpenedPost:
    return open_post(reader.account, reader.keyring, author.fpr, name, anyway=anyway)


def refused(reader: Someone, author: Someone, name: str = NAME) -> type[PostError]:
    """The error; and that the same comes with the post when it is opened anyway."""
    with pytest.raises(PostError) as caught:
        open_(reader, author, name)
    post = open_(reader, author, name, anyway=True)
    assert type(post.problem) is caught.type
    assert post.opened.data is not None
    return caught.type


# --- renamed -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["document", "file"])
@pytest.mark.parametrize("audience", ["public", "bob"])
def test_a_renamed_post_is_refused(world: World, kind: str, audience: str) -> None:
    whom: Audience = PUBLIC if audience == "public" else world.for_(world.bob)
    if kind == "document":
        publish(world, whom)
    else:
        publish_file(world.alice.account, world.alice.keyring, io.BytesIO(b"x"), NAME, whom)
    world.bob.fetch(world.alice, NAME)
    world.bob.fetch(world.alice, NAME, under="y.json.pgp")
    assert open_(world.bob, world.alice).problem is None
    assert refused(world.bob, world.alice, "y.json.pgp") is Renamed


def test_a_post_put_into_somebody_elses_directory_is_refused(world: World) -> None:
    publish(world, PUBLIC)
    source = world.alice.account.posts().path / NAME
    shutil.copy(source, world.bob.place(world.carol) / NAME)
    assert refused(world.bob, world.carol) is UnknownSigner


def test_one_author_cannot_sign_as_another(world: World) -> None:
    data = bound(world.alice, NAME, PUBLIC)
    world.bob.put(world.carol, NAME, message(world.carol.key, data, None))
    assert refused(world.bob, world.carol) is Renamed


# --- leaked ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("audience", [True, False])
def test_a_private_post_stripped_to_its_signed_inside_is_refused(world: World, audience: bool) -> None:
    whom = world.for_(world.bob) if audience else world.for_()
    world.bob.put(world.alice, NAME, message(world.alice.key, bound(world.alice, NAME, whom), None))
    assert refused(world.bob, world.alice) is Leaked
    notes = notations_for(world.alice.fpr, "y.pgp", whom)
    world.bob.put(world.alice, "y.pgp", message(world.alice.key, b"bytes", None, notes))
    assert refused(world.bob, world.alice, "y.pgp") is Leaked


def test_a_post_made_readable_for_somebody_it_was_not_meant_for_is_refused(world: World) -> None:
    data = bound(world.alice, NAME, world.for_(world.bob))
    sealed = message(world.alice.key, data, [world.bob, world.carol])
    world.carol.put(world.alice, NAME, sealed)  # it reached her
    assert refused(world.carol, world.alice) is Leaked
    world.bob.put(world.alice, NAME, sealed)  # he sees that it reaches her
    assert refused(world.bob, world.alice) is Leaked


def test_a_stranger_among_the_recipients_cannot_be_told(world: World) -> None:
    data = bound(world.alice, NAME, world.for_(world.bob))
    world.bob.put(world.alice, NAME, message(world.alice.key, data, [world.bob, world.mallory]))
    assert open_(world.bob, world.alice).problem is None


# --- signatures --------------------------------------------------------------------------------------------


def test_a_post_of_somebody_whose_key_is_not_held(world: World) -> None:
    world.bob.put(world.mallory, NAME, message(world.mallory.key, b"x", None))
    assert refused(world.bob, world.mallory) is UnknownAuthor


def test_changed_content_and_foreign_signatures_are_refused(world: World) -> None:
    data = bound(world.alice, NAME, PUBLIC, "aaaaaaaaaaaaaaaaaaaa")
    signed = message(world.alice.key, data, None)
    world.bob.put(world.alice, NAME, signed.replace(b"aaaaaaaa", b"bbbbbbbb", 1))
    assert refused(world.bob, world.alice) is BadSignature
    world.bob.put(world.alice, NAME, message(world.carol.key, data, None))
    assert refused(world.bob, world.alice) is UnknownSigner


def test_what_is_no_message_is_refused_even_anyway(world: World) -> None:
    for junk in (b"", b"text", bytes(1000)):
        world.bob.put(world.alice, NAME, junk)
        for anyway in (False, True):
            with pytest.raises(MalformedPost):
                open_(world.bob, world.alice, anyway=anyway)


def test_the_future_is_deferred(world: World) -> None:
    created = int(time.time()) + 3600
    data = bound(world.alice, NAME, PUBLIC)
    world.bob.put(world.alice, NAME, message(world.alice.key, data, None, created=created))
    assert refused(world.bob, world.alice) is FromTheFuture


def test_a_stated_twice_is_malformed_and_shown_anyway_as_unbound(world: World) -> None:
    data = b'{"@context":"https://schema.org","@id":"x","@id":"y"}'
    world.bob.put(world.alice, NAME, message(world.alice.key, data, None))
    assert refused(world.bob, world.alice) is MalformedPost
    assert open_(world.bob, world.alice, anyway=True).statement == UNBOUND


# --- unbound -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"bytes", b'{"@context":"https://schema.org","headline":"x"}'])
def test_an_unbound_post_opens_with_a_note(world: World, data: bytes) -> None:
    world.bob.put(world.alice, NAME, message(world.alice.key, data, [world.bob]))
    post = open_(world.bob, world.alice)
    assert post.statement == UNBOUND
    assert post.audience is None
    assert post.notes == ("unbound: the signature covers the content, but no name and no audience",)


def test_an_address_on_the_web_is_shown_and_the_audience_counts(world: World) -> None:
    data = json.dumps(
        {
            "@context": "https://schema.org/",
            "@id": "https://example.org/1",
            "audience": {"@id": f"mau:/p2p/{world.bob.fpr}"},
        }
    ).encode()
    world.bob.put(world.alice, NAME, message(world.alice.key, data, [world.bob]))
    post = open_(world.bob, world.alice)
    assert post.audience == world.for_(world.bob)
    assert post.notes == (
        "unbound: the signature covers the content, but no name",
        "it gives its address as 'https://example.org/1'",
    )
    world.bob.put(world.alice, NAME, message(world.alice.key, data, None))
    assert refused(world.bob, world.alice) is Leaked


def test_unbound_and_public_only_from_its_author(world: World) -> None:
    data = message(world.alice.key, b"bytes", None)
    sha256 = hashlib.sha256(data).hexdigest()
    bob = world.bob

    def brought(*, from_author: bool, named: Statement | None = None) -> OpenedPost:
        return open_source(
            bob.account,
            bob.keyring,
            world.alice.fpr,
            NAME,
            data,
            from_author=from_author,
            sha256=sha256,
            named_by=lambda sum_: named if sum_ == sha256 else None,
        )

    assert brought(from_author=True).statement == UNBOUND
    with pytest.raises(UnboundFromRelay):
        brought(from_author=False)
    assert brought(from_author=False, named=Statement(NAME, PUBLIC)).audience is PUBLIC
    with pytest.raises(Renamed):
        brought(from_author=False, named=Statement("y.pgp", PUBLIC))


@pytest.mark.parametrize("kind", ["v2-ed25519", "v2-rsa4096"])
def test_posts_of_the_go_reference_open_with_a_note(kind: str, tmp_path: Path) -> None:
    place = VECTORS / kind
    people = json.loads((place / "accounts.json").read_text())
    alice = Fingerprint.parse(people["alice"]["fpr"])
    shutil.copytree(place / "accounts" / "bob", tmp_path / "bob")
    root = Root(tmp_path / "bob")
    key = SecretKey.unlock(root.account_file.read_bytes(), people["bob"]["passphrase"])
    account = Account(root, key)
    keyring = Keyring.load(account, suspect=True)
    posts = sorted((place / "accounts" / "alice" / alice.hex).glob("*.pgp"))
    root.author_dir(alice).mkdir(exist_ok=True)
    read = 0
    for path in posts:
        shutil.copy(path, root.author_dir(alice))
        if path.name == "self.json.pgp":
            with pytest.raises(NotReadable):
                open_post(account, keyring, alice, path.name)
            continue
        post = open_post(account, keyring, alice, path.name)
        assert post.statement == UNBOUND
        assert post.notes
        assert post.opened.data
        read += 1
    assert read == 4


def test_posts_of_gnupg_open_with_a_note(world: World, tmp_path: Path) -> None:
    people = json.loads((VECTORS / "v2-ed25519" / "accounts.json").read_text())
    alice = Fingerprint.parse(people["alice"]["fpr"])
    shutil.copytree(VECTORS / "v2-ed25519" / "accounts" / "bob", tmp_path / "gobob")
    root = Root(tmp_path / "gobob")
    account = Account(root, SecretKey.unlock(root.account_file.read_bytes(), people["bob"]["passphrase"]))
    keyring = Keyring.load(account, suspect=True)
    root.author_dir(alice).mkdir(exist_ok=True)
    expected: dict[str, type[PostError] | None] = {
        "gpgse": None,
        "gpgse-zlib-aes256-sha512": None,
        "gpgse-bzip2": None,
        "signedonly": None,
        "signedonly-nocomp": None,
        "gpg-hidden-rcpt": None,
        "notforbob": NotReadable,
        "unsigned": NotSigned,
    }
    for stem, error in expected.items():
        name = f"{stem}.pgp"
        shutil.copy(VECTORS / "gpg-made" / name, root.author_dir(alice))
        if error is None:
            post = open_post(account, keyring, alice, name)
            assert post.statement == UNBOUND
            assert any("not named" in note for note in post.notes) == ("hidden" in stem)
        else:
            with pytest.raises(error):
                open_post(account, keyring, alice, name)


# --- where -------------------------------------------------------------------------------------------------


def test_versions_and_hidden_directories_are_read(world: World) -> None:
    publish(world, world.for_(world.bob))
    first = world.alice.account.posts().sha256(NAME)
    publish(world, world.for_(world.bob))
    assert open_post(world.alice.account, world.alice.keyring, world.alice.fpr, NAME, first).problem is None
    with pytest.raises(NoSuchPost):
        open_post(world.alice.account, world.alice.keyring, world.alice.fpr, NAME, "0" * 64)
    world.bob.fetch(world.alice, NAME, hidden=True)
    assert open_(world.bob, world.alice).problem is None
    with pytest.raises(NoSuchPost):
        open_(world.bob, world.alice, "y.pgp")
    with pytest.raises(NoSuchPost):
        open_(world.bob, world.mallory)


def test_content_goes_to_a_file_only_when_everything_holds(world: World, tmp_path: Path) -> None:
    sink = tmp_path / "sink"
    publish(world, world.for_(world.bob))
    world.bob.fetch(world.alice, NAME)
    post = open_post(world.bob.account, world.bob.keyring, world.alice.fpr, NAME, sink=sink)
    assert post.opened.data is None
    assert post.statement.bound
    assert json.loads(sink.read_bytes()) == post.document
    sink.unlink()
    world.bob.fetch(world.alice, NAME, under="y.json.pgp")
    with pytest.raises(Renamed):
        open_post(world.bob.account, world.bob.keyring, world.alice.fpr, "y.json.pgp", sink=sink)
    assert not sink.exists()
    open_post(world.bob.account, world.bob.keyring, world.alice.fpr, "y.json.pgp", sink=sink, anyway=True)
    assert sink.exists()


def test_a_large_document_is_no_document(world: World, tmp_path: Path) -> None:
    data = json.dumps({"@context": "https://schema.org", "@id": NAME, "x": "y" * (1 << 20)}).encode()
    world.bob.put(world.alice, NAME, message(world.alice.key, data, [world.bob]))
    assert open_(world.bob, world.alice).statement == UNBOUND
    sink = tmp_path / "sink"
    post = open_post(world.bob.account, world.bob.keyring, world.alice.fpr, NAME, sink=sink)
    assert (post.statement, post.document) == (UNBOUND, None)


def test_a_file_name_given_twice_is_none(world: World) -> None:
    notes = notations_for(world.alice.fpr, NAME, PUBLIC, "a\x1b.txt")
    world.bob.put(world.alice, NAME, message(world.alice.key, b"x", None, notes))
    assert open_(world.bob, world.alice).filename == "a\x1b.txt"


def test_the_facts_that_acceptance_judges(world: World) -> None:
    publish(world, world.for_(world.bob))
    world.bob.fetch(world.alice, NAME)
    piece = open_(world.bob, world.alice).piece("a" * 64, 17)
    assert (piece.author, piece.name, piece.sha256, piece.size) == (world.alice.fpr, NAME, "a" * 64, 17)
    assert (piece.encrypted, len(piece.recipients)) == (True, 2)
    assert piece.statement == Statement(NAME, world.for_(world.bob))
