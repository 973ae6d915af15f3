"""The examples do what they say, against real trees."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import mau
from mau.openpgp import SecretKey

EXAMPLES = Path(__file__).parent.parent / "examples"


def test_the_guestbook_answers_once_and_the_author_reads_it(tmp_path: Path) -> None:
    people = {}
    for name in ("alice", "bob"):
        account = mau.Account.create(
            mau.Root(tmp_path / name), SecretKey.generate(name, f"{name}@x.org"), "pw"
        )
        people[name] = (account, mau.Keyring.load(account))
    (alice, hers), (bob, his) = people["alice"], people["bob"]
    hers.add(bob.certificate, "bob")
    his.add(alice.certificate, "alice")
    for name, text in (("one.json.pgp", "Hello, everybody!"), ("two.json.pgp", "Good night.")):
        document = {"@context": "https://schema.org", "@type": "SocialMediaPosting", "articleBody": text}
        mau.publish_document(bob, his, document, name, frozenset({alice.fingerprint, bob.fingerprint}))
    shutil.copytree(bob.root.author_dir(bob.fingerprint), alice.root.author_dir(bob.fingerprint))

    def run() -> list[str]:
        environment = {**os.environ, "MAU_DIR": str(alice.root.path), "MAU_PASSPHRASE": "pw"}
        command = [sys.executable, "-W", "error", str(EXAMPLES / "guestbook.py")]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True, timeout=50
        )
        return done.stdout.splitlines()

    [answer] = run()
    assert run() == []
    with alice.posts().open(answer) as file:
        from mau.reader.open import open_source

        post = open_source(bob, his, alice.fingerprint, answer, file)
    assert (post.document or {})["text"] == "Welcome, bob!"
