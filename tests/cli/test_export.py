"""`mau export`: the public key and nothing else; or a post, in the form that another program wants."""

from __future__ import annotations

import email
import email.policy
import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from mau.account import Account
from mau.content.binding import PUBLIC, Audience
from mau.keyring import Keyring
from mau.openpgp import Certificate
from mau.publish import publish_document
from tests.cli.conftest import PASSPHRASE, Ended, Gpg
from tests.cli.inside import Inside, inside, trees, world

__all__ = ["inside", "trees", "world"]

Run = Callable[..., Ended]


def test_the_armored_key_goes_to_stdout(mau: Run, alice: Account) -> None:
    done = mau("export", passphrase=PASSPHRASE)
    assert (done.code, done.err) == (0, f"In words: {' '.join(alice.fingerprint.words)}\n")
    assert done.text.startswith("-----BEGIN PGP PUBLIC KEY BLOCK-----\n")
    assert done.text.endswith("-----END PGP PUBLIC KEY BLOCK-----\n")
    assert bytes(Certificate.parse(done.out)) == bytes(alice.certificate)


def test_the_binary_key_goes_to_stdout_byte_for_byte(mau: Run, alice: Account) -> None:
    assert mau("export", "--binary", passphrase=PASSPHRASE).out == bytes(alice.certificate)
    assert mau("export", "--binary", "-o", "-", passphrase=PASSPHRASE).out == bytes(alice.certificate)


@pytest.mark.parametrize("form", [(), ("--binary",)])
def test_a_file_gets_the_key_and_stdout_nothing(
    mau: Run, alice: Account, tmp_path: Path, form: tuple[str, ...]
) -> None:
    file = tmp_path / "alice.key"
    done = mau("export", *form, "-o", file, passphrase=PASSPHRASE)
    assert (done.code, done.out) == (0, b"")
    assert str(file) in done.err
    assert bytes(Certificate.parse(file.read_bytes())) == bytes(alice.certificate)
    assert file.read_bytes().startswith(b"-----BEGIN") != bool(form)


def test_the_key_of_a_name_that_is_not_ascii_goes_to_a_file_and_is_ascii(
    mau: Run, gpg: Gpg, tmp_path: Path
) -> None:
    assert mau("init", "--name", "Zoë Ünger", "--email", "zoe@example.org", passphrase=PASSPHRASE).code == 0
    file = tmp_path / "zoe.asc"
    done = mau("export", "-o", file, passphrase=PASSPHRASE)
    assert done.code == 0, done.err
    assert file.read_bytes().isascii()
    assert file.read_bytes() == mau("export", passphrase=PASSPHRASE).out
    gpg.run("--import", file)
    assert "Zoë Ünger <zoe@example.org>" in {line[9] for line in gpg.facts("--list-keys") if line[0] == "uid"}


@pytest.mark.parametrize("form", [(), ("--binary",)])
def test_gpg_imports_the_key_and_finds_no_secret_in_it(
    mau: Run, gpg: Gpg, alice: Account, form: tuple[str, ...]
) -> None:
    gpg.run("--import", stdin=mau("export", *form, passphrase=PASSPHRASE).out)
    listing = gpg.facts("--list-keys")
    assert next(line[9].lower() for line in listing if line[0] == "fpr") == alice.fingerprint.hex
    assert gpg.facts("--list-secret-keys") == []


def test_a_terminal_gets_no_binary_key(on_terminal: Run, alice: Account) -> None:
    done = on_terminal("export", "--binary")
    assert done.code == 2
    assert "-o FILE" in done.err
    done = on_terminal("export", typed=[("Passphrase: ", PASSPHRASE)])
    assert done.code == 0
    assert "BEGIN PGP PUBLIC KEY BLOCK" in done.err


def test_a_file_that_cannot_be_written_is_an_error_in_one_line(mau: Run, alice: Account) -> None:
    done = mau("export", "-o", "/nowhere/at/all", passphrase=PASSPHRASE)
    assert done.code == 1
    assert done.err.count("\n") == 1 and "/nowhere/at/all" in done.err


def test_the_account_file_is_not_overwritten_by_its_own_public_key(
    mau: Run, alice: Account, tmp_path: Path
) -> None:
    before = alice.root.account_file.read_bytes()
    (tmp_path / "link").symlink_to(alice.root.account_file)
    for place in (alice.root.account_file, alice.root.mau / "x", tmp_path / "link"):
        done = mau("export", "-o", place, passphrase=PASSPHRASE)
        assert done.code == 2
    assert alice.root.account_file.read_bytes() == before
    assert [one.name for one in alice.root.mau.iterdir()] == ["account.pgp"]


def test_a_wrong_passphrase_exports_nothing(mau: Run, alice: Account, tmp_path: Path) -> None:
    done = mau("export", "-o", tmp_path / "key", passphrase="not the one")
    assert done.code == 4
    assert not (tmp_path / "key").exists()


def post(account: Account, audience: Audience, text: str = "Hello **you**", **more: object) -> None:
    document = {"@type": "SocialMediaPosting", "articleBody": text, **more}
    publish_document(account, Keyring.load(account), document, "hello.json.pgp", audience)


def test_a_post_armored_or_as_a_mail_stays_encrypted_and_gpg_reads_it(
    mau: Run, gpg: Gpg, alice: Account, tmp_path: Path
) -> None:
    post(alice, frozenset({alice.fingerprint}))
    secret = gpg.run("--decrypt", alice.root.account_file, passphrase=PASSPHRASE)
    gpg.run("--import", stdin=secret)
    done = mau("export", "hello", passphrase=PASSPHRASE)
    assert (done.code, done.err) == (0, "It stays encrypted, for you alone.\n")
    assert done.out.isascii() and done.text.startswith("-----BEGIN PGP MESSAGE-----\n")
    held = (alice.posts().path / "hello.json.pgp").read_bytes()
    assert gpg.run("--dearmor", stdin=done.out) == held
    assert b"Hello **you**" in gpg.run("--decrypt", stdin=done.out)
    done = mau("export", "hello", "--as", "eml", "-o", tmp_path / "hello.eml", passphrase=PASSPHRASE)
    assert (done.code, done.out) == (0, b"")
    assert stat.S_IMODE((tmp_path / "hello.eml").stat().st_mode) == 0o600
    mail = email.message_from_bytes((tmp_path / "hello.eml").read_bytes(), policy=email.policy.default)
    assert mail.get_content_type() == "multipart/encrypted" and "hello" not in str(mail["Subject"]).lower()
    version, message = mail.iter_parts()
    assert (version.get_content_type(), version.get_content()) == (
        "application/pgp-encrypted",
        b"Version: 1\r\n",
    )
    assert gpg.run("--dearmor", stdin=message.get_content()) == held


def test_a_private_post_that_is_opened_says_so(mau: Run, alice: Account) -> None:
    post(alice, frozenset({alice.fingerprint}))
    done = mau("export", "hello", "--as", "markdown", passphrase=PASSPHRASE)
    assert "leaves the encryption" in done.err
    assert done.text.startswith("---\n") and done.text.endswith("\nHello **you**\n")
    done = mau("export", "hello", "--as", "json", passphrase=PASSPHRASE)
    assert "leaves the encryption" in done.err
    assert json.loads(done.text)["articleBody"] == "Hello **you**"
    assert mau("export", "hello", "--binary", passphrase=PASSPHRASE).code == 2
    assert mau("export", "--as", "json", passphrase=PASSPHRASE).code == 2
    assert mau("export", "nothing", passphrase=PASSPHRASE).code == 1


def test_a_public_post_as_a_page_stands_alone(mau: Run, alice: Account) -> None:
    post(alice, PUBLIC, "Hello **you** <script>alert(1)</script>")
    done = mau("export", "hello", "--as", "html", passphrase=PASSPHRASE)
    assert (done.code, done.err) == (0, "It is signed and not encrypted: everybody can read it.\n")
    assert "<strong>you</strong>" in done.text and "<script" not in done.text


def test_what_is_opened_is_byte_for_byte_what_it_is_in_a_file_which_is_new(
    inside: Inside, tmp_path: Path
) -> None:
    alice, file = inside.world.alice, tmp_path / "hello.md"
    post(alice.account, frozenset({alice.fpr}), "Tea:\n\n\tat\u202efour\n\n")
    out = inside.mau(alice, "export", "hello", "--as", "markdown").out
    assert b"\tat\xe2\x80\xaefour" in out
    file.write_bytes(b"old")
    file.chmod(0o644)
    held = file.stat().st_ino
    link = tmp_path / "link"
    link.symlink_to(file)
    as_page = ("export", "hello", "--as", "markdown", "-o")
    assert "--force" in inside.mau(alice, *as_page, file, code=2).err
    assert "no regular file" in inside.mau(alice, *as_page, link, "--force", code=2).err
    assert file.read_bytes() == b"old"
    inside.mau(alice, *as_page, file, "--force")
    found = file.stat()
    assert (file.read_bytes(), stat.S_IMODE(found.st_mode)) == (out, 0o600) and found.st_ino != held
    assert sorted(one.name for one in tmp_path.iterdir() if "hello" in one.name) == ["hello.md"]
