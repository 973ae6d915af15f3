"""A reader with many posts of many people: what the timeline and the search are measured on.

    library = made(place, 100_000)

Real accounts, real signatures, half of the posts public and half encrypted to the reader and three others,
over three years. Of a hundred, 72 are posts, 12 answers, 12 likes, 4 shares. Written by as many processes as
there are cores; a library that is there already is used again.
"""

from __future__ import annotations

import functools
import io
import itertools
import json
import multiprocessing
import os
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mau.account import Account
from mau.content.address import PUBLIC_IRI, person_iri, post_iri
from mau.fingerprint import Fingerprint
from mau.keyring import Keyring
from mau.openpgp import Certificate, SecretKey, write_message
from mau.tree.layout import Root
from tests.benchmarks.measure import environment_of
from tests.benchmarks.world import PASSPHRASE

PEOPLE: Final = 40
YEARS: Final = 3 * 365 * 86_400
_BEGAN: Final = int(time.time()) - YEARS - 86_400
_SYLLABLES: Final = (
    "ka",
    "lo",
    "mi",
    "ne",
    "ru",
    "sa",
    "te",
    "vo",
    "shi",
    "dan",
    "bel",
    "cor",
    "fen",
    "gral",
)
_VOCABULARY: Final = 20_000
_TAGS: Final = ("tea", "cake", "rides", "garden", "books", "music", "news", "photo")


@dataclass(frozen=True, slots=True)
class Library:
    """``environment``: of processes that read it. ``words``: from the most frequent to the rarest."""

    place: Path
    account: Account
    keyring: Keyring
    environment: dict[str, str]
    count: int

    @property
    def words(self) -> tuple[str, ...]:
        return vocabulary()


@dataclass(frozen=True, slots=True)
class _Writer:
    key: SecretKey
    directory: Path
    readers: tuple[Certificate, ...]


def made(place: Path, count: int, people: int = PEOPLE) -> Library:
    """The library of so many posts in ``place``; made when it is not there."""
    os.environ["XDG_STATE_HOME"] = str(place / "state")
    os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"
    root = Root(place / "tree")
    if not (place / "complete").exists():
        _make(place, root, count, people)
        (place / "complete").write_text(f"{count}\n")
    account = Account.open(root, PASSPHRASE)
    environment = environment_of(place, PASSPHRASE) | {
        "MAU_DIR": str(root.path),
        "XDG_STATE_HOME": str(place / "state"),
    }
    return Library(place, account, Keyring.load(account), environment, count)


def _make(place: Path, root: Root, count: int, people: int) -> None:
    place.mkdir(parents=True, exist_ok=True)
    reader = SecretKey.generate("Reader", "reader@example.org", created=_BEGAN)
    account = Account.create(root, reader, PASSPHRASE)
    keyring = Keyring.load(account)
    keys = [
        SecretKey.generate(f"Person {number}", f"p{number}@example.org", created=_BEGAN)
        for number in range(people)
    ]
    for number, key in enumerate(keys):
        keyring.add(key.certificate, f"person{number}", ["some"] if number % 4 == 0 else [])
        account.root.follow(key.fingerprint)
    certificates = [key.certificate for key in keys]
    writers = [
        _Writer(
            key,
            root.author_dir(key.fingerprint),
            (key.certificate, reader.certificate, *_others(certificates, number)),
        )
        for number, key in enumerate(keys)
    ]
    cores = os.cpu_count() or 1
    # Forked: the keys are there already, and nothing of a benchmark runs in threads by now.
    with multiprocessing.get_context("fork").Pool(cores, _take, (writers, count)) as pool:
        pool.map(_write_some, range(cores * 8), chunksize=1)


def _others(certificates: Sequence[Certificate], number: int) -> list[Certificate]:
    return [certificates[(number + step) % len(certificates)] for step in (1, 2, 3)]


_work: list[tuple[list[_Writer], int]] = []
"""What a process of the pool works on."""


def _take(writers: list[_Writer], count: int) -> None:
    _work.append((writers, count))


def _write_some(part: int) -> None:
    writers, count = _work[-1]
    parts = (os.cpu_count() or 1) * 8
    for number in range(part, count, parts):
        writer = writers[number % len(writers)]
        (writer.directory / name_of(number)).write_bytes(_message(writers, number, count))


def _message(writers: Sequence[_Writer], number: int, count: int) -> bytes:
    writer = writers[number % len(writers)]
    public = number % 2 == 0
    people = [certificate.fingerprint for certificate in writer.readers]
    said = document(number, [one.key.fingerprint for one in writers]) | {
        "@id": post_iri(writer.key.fingerprint, name_of(number)),
        "audience": {"@id": PUBLIC_IRI} if public else [{"@id": person_iri(one)} for one in people],
    }
    out = io.BytesIO()
    created = _BEGAN + 43_200 + number * YEARS // count
    recipients = None if public else [one for one in writer.readers if one is not writer.key.certificate]
    write_message(out, json.dumps(said).encode(), key=writer.key, recipients=recipients, created=created)
    return out.getvalue()


def name_of(number: int) -> str:
    """What the post of that number is called."""
    return f"2025-{random.Random(number).randbytes(6).hex()}.json.pgp"


def document(number: int, people: Sequence[Fingerprint]) -> dict[str, Any]:
    """What the post of that number says: words by Zipf's law, five to two hundred."""
    chosen = random.Random(-number - 1)
    kind = number % 25
    about = chosen.randrange(max(number - 2000, 0), max(number, 1))
    target = {"@id": post_iri(people[about % len(people)], name_of(about))}
    if kind in (1, 9, 17):
        return {"@context": "https://schema.org", "@type": "LikeAction", "object": target}
    if kind == 2:
        return {"@context": "https://schema.org", "@type": "ShareAction", "object": target}
    text = " ".join(chosen.choices(vocabulary(), cum_weights=_weights(), k=chosen.randint(5, 200)))
    if kind in (3, 11, 19):
        return {"@context": "https://schema.org", "@type": "Comment", "parentItem": target, "text": text}
    if kind in (4, 5, 6):
        text += f" #{chosen.choice(_TAGS)}"
    return {"@context": "https://schema.org", "@type": "SocialMediaPosting", "articleBody": text}


@functools.cache
def vocabulary() -> tuple[str, ...]:
    """Words of two to five syllables, each once."""
    every = itertools.chain.from_iterable(
        itertools.product(_SYLLABLES, repeat=length) for length in (2, 3, 4, 5)
    )
    return tuple("".join(one) for one in itertools.islice(every, _VOCABULARY))


@functools.cache
def _weights() -> tuple[float, ...]:
    return tuple(itertools.accumulate(1 / rank for rank in range(1, _VOCABULARY + 1)))
