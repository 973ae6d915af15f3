"""Alice, who has friends; real accounts in real trees, made once and copied for each test."""

from __future__ import annotations

import io
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from mau.account import Account
from mau.content.binding import Audience, audience_of, bind_document
from mau.fingerprint import Fingerprint
from mau.keyring import Keyring
from mau.openpgp import Certificate, SecretKey, write_message
from mau.publish import _encode
from mau.tree.layout import Root

PASSPHRASE = "between friends 11"
YESTERDAY = int(time.time()) - 86_400


@dataclass
class Someone:
    """An account with its keyring."""

    account: Account
    keyring: Keyring

    @property
    def fpr(self) -> Fingerprint:
        return self.account.fingerprint

    @property
    def certificate(self) -> Certificate:
        return self.account.certificate

    @property
    def key(self) -> SecretKey:
        return self.account.key

    def place(self, author: Someone, hidden: bool = False) -> Path:
        """Where posts of somebody lie here; the directory is made."""
        root = self.account.root
        path = root.hidden_dir(author.fpr) if hidden else root.author_dir(author.fpr)
        path.mkdir(exist_ok=True)
        return path

    def fetch(self, author: Someone, name: str, *, under: str | None = None, hidden: bool = False) -> str:
        """Take a file of somebody over as a sync would; its name here."""
        source = author.account.root.author_dir(author.fpr) / name
        shutil.copy(source, self.place(author, hidden) / (under or name))
        return under or name

    def put(self, author: Someone, name: str, data: bytes) -> None:
        (self.place(author) / name).write_bytes(data)


@dataclass
class World:
    """Alice has the friends Bob and Carol, who are friends, too; nobody knows Mallory."""

    alice: Someone
    bob: Someone
    carol: Someone
    mallory: Someone

    def for_(self, *people: Someone) -> frozenset[Fingerprint]:
        """An audience of Alice's."""
        return audience_of(self.alice.fpr, {one.fpr for one in people})


def message(
    key: SecretKey,
    data: bytes,
    to: Sequence[Someone] | None,
    notations: Mapping[str, str] | None = None,
    created: int | None = None,
) -> bytes:
    """A message as any OpenPGP program may write it."""
    out = io.BytesIO()
    recipients = None if to is None else [one.certificate for one in to]
    write_message(out, data, key=key, recipients=recipients, notations=notations or {}, created=created)
    return out.getvalue()


def bound(author: Someone, name: str, audience: Audience, text: str = "x") -> bytes:
    """A document that states name and audience."""
    return _encode(
        bind_document({"@type": "SocialMediaPosting", "articleBody": text}, author.fpr, name, audience)
    )


Trees = tuple[Path, Path, dict[str, SecretKey]]
_made: list[Trees] = []


@pytest.fixture(scope="session")
def trees(tmp_path_factory: pytest.TempPathFactory) -> Trees:
    """The trees, the state that belongs to them, and the keys. Each test works on copies."""
    # Each module that takes this fixture over makes one of it: the keys are made once all the same.
    if not _made:
        _made.append(_make_trees(tmp_path_factory))
    return _made[0]


def _make_trees(tmp_path_factory: pytest.TempPathFactory) -> Trees:
    place = tmp_path_factory.mktemp("people")
    state = tmp_path_factory.mktemp("state")
    names = ("alice", "bob", "carol", "mallory")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(state))
        keys = {
            name: SecretKey.generate(name.title(), f"{name}@example.org", created=YESTERDAY) for name in names
        }
        for name in names:
            account = Account.create(Root(place / name), keys[name], PASSPHRASE)
            keyring = Keyring.load(account)
            for friend in names[:3] if name != "mallory" else ():
                if friend != name:
                    keyring.add(keys[friend].certificate, friend, ["tea"] if friend == "bob" else [])
                    account.root.follow(keys[friend].fingerprint)
    return place, state, keys


@pytest.fixture
def world(trees: Trees, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    place, state, keys = trees
    shutil.copytree(state, tmp_path / "state")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    people = {}
    for name, key in keys.items():
        shutil.copytree(place / name, tmp_path / name)
        account = Account(Root(tmp_path / name), key)
        people[name] = Someone(account, Keyring.load(account))
    return World(**people)
