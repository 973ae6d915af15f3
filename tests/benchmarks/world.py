"""Two people with accounts who are friends, and the bare keys for the yardsticks."""

from __future__ import annotations

import json
import os
import random
from dataclasses import dataclass
from pathlib import Path

import pysequoia

from mau.account import Account
from mau.keyring import Keyring
from mau.openpgp import SecretKey
from mau.tree.layout import Root
from tests.benchmarks.measure import environment_of

PASSPHRASE = "benchmark"
WORDS = (
    "kettle", "tea", "cake", "four", "welcome", "river", "bicycle",
    "letter", "garden", "window", "Sunday", "neighbour", "bread", "winter",
)  # fmt: skip
ENDS = ("", "", "", ",", ".")


@dataclass(frozen=True, slots=True)
class Someone:
    """One side: account, keyring, the environment of its processes, and its key without us around it."""

    root: Path
    account: Account
    keyring: Keyring
    environment: dict[str, str]
    tsk: pysequoia.Tsk
    cert: pysequoia.Cert
    tsk_bytes: bytes


@dataclass(frozen=True, slots=True)
class World:
    """Alice and Bob."""

    place: Path
    alice: Someone
    bob: Someone


def make(place: Path) -> World:
    """Two accounts below ``place``, friends of each other."""
    os.environ["XDG_STATE_HOME"] = str(place / "state")
    os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"
    accounts = {
        name: Account.create(Root(place / name), SecretKey.generate(name, f"{name}@example.org"), PASSPHRASE)
        for name in ("alice", "bob")
    }
    people = {}
    for name, other in (("alice", "bob"), ("bob", "alice")):
        account = accounts[name]
        keyring = Keyring.load(account)
        keyring.add(accounts[other].certificate, other)
        account.root.follow(accounts[other].fingerprint)
        environment = environment_of(place, PASSPHRASE) | {
            "MAU_DIR": str(place / name),
            "XDG_STATE_HOME": str(place / "state"),
        }
        opened = pysequoia.decrypt(account.root.account_file.read_bytes(), passwords=[PASSPHRASE])
        data = bytes(opened.bytes or b"")
        tsk = pysequoia.Tsk.from_bytes(data)
        people[name] = Someone(
            place / name, account, keyring, environment, tsk, tsk.extract_certificate(), data
        )
    return World(place, people["alice"], people["bob"])


def document(number: int) -> dict[str, object]:
    """A posting of about one KiB; no two are the same, and none compresses better than people's words do."""
    chosen = random.Random(number)
    return {
        "@context": "https://schema.org",
        "@type": "SocialMediaPosting",
        "articleBody": " ".join(chosen.choice(WORDS) + chosen.choice(ENDS) for _ in range(135)),
    }


def furnish(world: World, count: int) -> None:
    """So many posts of Alice for Bob, written as any other program would write them: quickly."""
    alice, bob = world.alice, world.bob
    place = alice.account.posts().path
    place.mkdir(mode=0o700, exist_ok=True)
    signer = alice.tsk.signer()
    for number in range(count):
        path = place / post_name(number)
        if not path.exists():
            plain = json.dumps(document(number)).encode()
            path.write_bytes(pysequoia.encrypt(plain, [alice.cert, bob.cert], signer, armor=False))


def post_name(number: int) -> str:
    """What the posts of `furnish` are called."""
    return f"p{number:06}.json.pgp"
