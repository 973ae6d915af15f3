"""`mau search`."""

from __future__ import annotations

import json
from collections.abc import Callable

from mau.account import Account
from mau.content.binding import PUBLIC
from mau.keyring import Keyring
from mau.publish import publish_document
from tests.cli.conftest import PASSPHRASE, Ended

Run = Callable[..., Ended]


def post(account: Account, name: str, text: str) -> None:
    document = {"@type": "SocialMediaPosting", "articleBody": text}
    publish_document(account, Keyring.load(account), document, f"{name}.json.pgp", PUBLIC)


def test_words_phrases_and_what_must_not_be_there(mau: Run, alice: Account) -> None:
    post(alice, "one", "The blue bicycle \x1b[31m of #Summer")
    post(alice, "two", "A blue car, and a bicycle")
    done = mau("search", "blue bicycle", "-car", passphrase=PASSPHRASE)
    assert done.code == 0, done.err
    head, line = done.text.splitlines()
    assert head.startswith("you, ") and head.endswith("me/one.json")
    assert line == "    The blue bicycle \\x1b[31m of #Summer"
    done = mau("search", "BICYC*", "--tag", "summer", "--since", "1h", "--json", passphrase=PASSPHRASE)
    [facts] = [json.loads(one) for one in done.text.splitlines()]
    assert (facts["name"], facts["tags"], facts["origin"]) == ("one.json.pgp", ["summer"], None)
    done = mau("search", "nothing", "like", "it", passphrase=PASSPHRASE)
    assert (done.code, done.text, done.err) == (0, "", "Nothing fits.\n")
    assert mau("search", passphrase=PASSPHRASE).code == 2
