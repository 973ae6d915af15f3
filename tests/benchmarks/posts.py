"""Posts written and read, in one process."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pysequoia

from mau.openpgp import open_message, write_message
from mau.publish import publish_document
from mau.reader.open import open_post
from tests.benchmarks import gnupg
from tests.benchmarks.measure import Row, compare_rates, in_turns
from tests.benchmarks.world import World, document

BATCH = 100


def safe_write(directory: Path, handle: int, name: str, data: bytes) -> None:
    """The least that leaves the old or the new content after a crash: the yardstick of a write."""
    temporary = directory / f".{name}"
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    os.write(fd, data)
    os.fsync(fd)
    os.close(fd)
    temporary.rename(directory / name)
    os.fsync(handle)


def run(world: World, rounds: int) -> list[Row]:
    """Rows: written, read, and the same without files."""
    alice, bob = world.alice, world.bob
    audience = frozenset({bob.account.fingerprint})
    certificates = [bob.account.certificate]
    signer = alice.tsk.signer()
    certs = [alice.cert, bob.cert]
    documents = [document(number) for number in range(BATCH)]
    plain = [json.dumps(one).encode() for one in documents]
    bare_place = world.place / "bare"
    bare_place.mkdir(exist_ok=True)

    def publish(number: int) -> None:
        for piece, one in enumerate(documents):
            publish_document(alice.account, alice.keyring, one, f"w{number}-{piece}.json.pgp", audience)

    def bare_publish(number: int) -> None:
        with _directory(bare_place) as handle:
            for piece, data in enumerate(plain):
                message = bytes(pysequoia.encrypt(data, certs, signer, armor=False))
                safe_write(bare_place, handle, f"w{number}-{piece}.json.pgp", message)

    ours, bare = in_turns(rounds, publish, bare_publish)
    rows = [
        compare_rates(
            "posts of 1 KiB written to one friend", BATCH, ours, bare, "encrypt + safe write", least=500
        )
    ]

    messages = [bytes(pysequoia.encrypt(data, certs, signer, armor=False)) for data in plain]
    posts = bob.account.root.author_dir(alice.account.fingerprint)
    names = [f"w0-{piece}.json.pgp" for piece in range(BATCH)]
    for name in names:
        (posts / name).write_bytes((alice.account.posts().path / name).read_bytes())

    def read(_: int) -> None:
        for name in names:
            open_post(bob.account, bob.keyring, alice.account.fingerprint, name)

    def bare_read(_: int) -> None:
        for message in messages:
            _bare_open(bob.tsk, alice.cert, message)

    ours, bare = in_turns(rounds, read, bare_read)
    rows.append(compare_rates("posts read and verified", BATCH, ours, bare, "decrypt + verify", least=2000))

    written = [(posts / name).read_bytes() for name in names]

    def open_all(_: int) -> None:
        for message in written:
            open_message(message, key=bob.account.key, author=alice.account.certificate)

    def seal_all(_: int) -> None:
        import io

        for data in plain:
            write_message(io.BytesIO(), data, key=alice.account.key, recipients=certificates)

    def bare_seal(_: int) -> None:
        for data in plain:
            pysequoia.encrypt(data, certs, signer, armor=False)

    ours, bare = in_turns(rounds, seal_all, bare_seal)
    rows.append(compare_rates("  sign + encrypt, no files", BATCH, ours, bare, "encrypt", share=None))
    ours, bare = in_turns(rounds, open_all, bare_read)
    rows.append(
        compare_rates("  decrypt + verify, no files", BATCH, ours, bare, "decrypt + verify", share=None)
    )
    rows += gnupg.run(world, plain[0], messages[0], min(rounds, 5))
    return rows


def _bare_open(tsk: pysequoia.Tsk, author: pysequoia.Cert, message: bytes) -> None:
    opened = pysequoia.decrypt(message, decryptor=tsk.decryptor(), store=lambda _: [author])
    assert opened.valid_sigs


@contextlib.contextmanager
def _directory(path: Path) -> Iterator[int]:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield handle
    finally:
        os.close(handle)
