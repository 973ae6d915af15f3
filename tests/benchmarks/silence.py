"""Whether its time tells what is not there from what is not for the visitor (spec/http.yaml H20).

No aim and no verdict: figures to look at. What differs by less than the same path differs from itself, asked
twice in each round, tells nothing.
"""

from __future__ import annotations

import io
import os

from mau.fingerprint import Fingerprint
from mau.openpgp import SecretKey
from mau.publish import publish_file
from mau.wire.paths import file_path, version_path
from tests.benchmarks.measure import Row
from tests.benchmarks.serve import hosting, load, pem_of
from tests.benchmarks.world import World

_SECONDS = 20.0


def run(world: World, _: int) -> list[Row]:
    """Rows: how long each kind of no takes, asked in turns by a friend on one connection."""
    alice, bob = world.alice, world.bob
    me, keyring = alice.account.fingerprint, alice.keyring
    stranger = SecretKey.generate("carol", "carol@example.org")
    keyring.add(stranger.certificate, "carol")
    for name, size in (("small", 500), ("large", 50_000_000)):
        content = io.BytesIO(os.urandom(size))
        publish_file(alice.account, keyring, content, f"{name}.pgp", frozenset({stranger.fingerprint}))
    place = alice.account.posts().path
    (place / "link.pgp").symlink_to(place / "small.pgp")
    held = alice.account.root.author_dir(stranger.fingerprint)
    held.mkdir(mode=0o700)
    (held / "small.pgp").write_bytes((place / "small.pgp").read_bytes())
    nobody = Fingerprint(bytes(20))
    kinds = {
        "missing": file_path(me, "missing.pgp"),
        "missing, once more": file_path(me, "missing.pgp"),
        "not for the visitor": file_path(me, "small.pgp"),
        "not for the visitor, 50 MB": file_path(me, "large.pgp"),
        "a version of it": version_path(me, "small.pgp", "0" * 64),
        "a version of what is missing": version_path(me, "missing.pgp", "0" * 64),
        "a link": file_path(me, "link.pgp"),
        "of another author": file_path(stranger.fingerprint, "small.pgp"),
        "of an unknown author": file_path(nobody, "small.pgp"),
    }
    with hosting(alice) as host:
        found = load(
            host.port, pem_of(bob.account, world.place), list(kinds.values()), "refused", 1, _SECONDS
        )
    (place / "link.pgp").unlink()
    return [
        Row(f"404: {kind}", f"p50 {one['p50'] * 1000:.3f} ms, p95 {one['p95'] * 1000:.3f} ms")
        for kind, one in zip(kinds, found["took"], strict=True)
    ]
