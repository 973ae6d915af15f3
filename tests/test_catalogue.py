"""Under which marks each kind of file is found (spec/index.md I19)."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import pytest

from mau.catalogue import ANY, SIGNED, examine, open_index
from mau.openpgp import Certificate, SecretKey, write_message
from mau.tree.index import Examined
from mau.tree.layout import Root


@pytest.fixture(scope="module")
def alice() -> SecretKey:
    return SecretKey.generate("Alice", "alice@example.org")


@pytest.fixture(scope="module")
def bob() -> SecretKey:
    return SecretKey.generate("Bob", "bob@example.org")


def message(by: SecretKey, to: Sequence[Certificate] | None) -> bytes:
    out = io.BytesIO()
    write_message(out, b"x", key=by, recipients=to, notations={})
    return out.getvalue()


def said(author: SecretKey, content: bytes, name: str = "x.pgp") -> Examined:
    return examine(author.fingerprint, name, io.BytesIO(content))


def test_each_kind_has_its_marks(alice: SecretKey, bob: SecretKey) -> None:
    both = [alice.certificate, bob.certificate]
    keyids = {keyid for one in both for keyid in one.encryption_keyids}
    encrypted = said(alice, message(alice, both))
    assert encrypted.kind == "encrypted"
    assert encrypted.readers[0] == ANY
    assert set(encrypted.readers[1:]) == keyids
    assert said(alice, message(alice, None)) == Examined("signed", (ANY, SIGNED))
    assert said(alice, message(alice, both), "keyring.json.pgp").readers == (ANY,)
    assert said(alice, message(alice, None), "keyring.json.pgp").readers == (ANY,)
    for nothing in (b"", b"no message", bytes(alice.certificate), message(alice, both)[:1]):
        assert said(alice, nothing).readers == ()


def test_a_hidden_recipient_hides_the_file(alice: SecretKey, bob: SecretKey) -> None:
    content = message(alice, [alice.certificate, bob.certificate])
    for certificate in (alice.certificate, bob.certificate):
        for keyid in certificate.encryption_keyids:
            assert said(alice, content.replace(keyid, bytes(8), 1)).readers == ()


def test_all_programs_share_one_index(tmp_path: Path, alice: SecretKey) -> None:
    root = Root(tmp_path / "Mau")
    root.ensure()
    root.follow(alice.fingerprint)
    (root.author_dir(alice.fingerprint) / "x.pgp").write_bytes(message(alice, None))
    with open_index(root) as first, open_index(root) as second:
        first.refresh()
        assert second.generation == first.generation
        assert [one.name for one in second.after(alice.fingerprint, (SIGNED,), 0, 9).entries] == ["x.pgp"]
