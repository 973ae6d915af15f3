"""`mau files`: what is held of somebody."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import click

from mau.errors import NoSuchPost
from mau_cli.context import Session
from mau_cli.output import emit_json, say, table

if TYPE_CHECKING:
    from mau.deletion.rules import Deletes
    from mau.keyring import Keyring
    from mau.openpgp import Head
    from mau.tree.posts import AuthorDir, Entry

_MOST = 6  # recipients that are named in one line


@click.command("files")
@click.argument("who", default="me")
@click.option("--json", "as_json", is_flag=True, help="Show it as JSON, with the sha256 of each file.")
@click.pass_obj
def command(session: Session, who: str, as_json: bool) -> None:
    """List the posts of WHO that are held here; yours when nobody is named.

    Who can read a file is what its own head says. What its author deleted, and what says so, is marked.
    """
    from mau.deletion.held import deletes_of
    from mau.reader.open import directories_of
    from mau_cli.people import suspect_keyring
    from mau_cli.posts import local_time, size_words

    keyring = suspect_keyring(session)
    author = keyring.resolve_fingerprint(who)
    directory = directories_of(session.account(), author)[0]
    entries = [
        (entry, head) for entry in directory.entries() if (head := _head(directory, entry)) is not None
    ]
    deletes = deletes_of(session.account(), keyring, author)
    if as_json:
        emit_json([_facts(keyring, deletes, directory, entry, head) for entry, head in entries])
        return
    rows = [
        (
            entry.name,
            size_words(entry.size),
            local_time(entry.mtime_ns / 1e9),
            _for(keyring, head) + _deleted_words(deletes, directory, entry.name),
        )
        for entry, head in entries
    ]
    table(rows, ("name", "size", "stored", "readable for"))
    if not entries:
        say(f"Nothing of {who} is held here.")


def _head(directory: AuthorDir, entry: Entry) -> Head | None:
    from mau.openpgp import read_head

    with suppress(NoSuchPost), directory.open(entry.name) as file:
        return read_head(file)
    return None  # it went while we looked


def _deleted_words(deletes: Deletes, directory: AuthorDir, name: str) -> str:
    if _is_deleted(deletes, directory, name):
        return " (deleted by its author)"
    said = deletes.named(name)
    return f" (deletes {said.target})" if said is not None else ""


def _is_deleted(deletes: Deletes, directory: AuthorDir, name: str) -> bool:
    """Whether a DeleteAction names what is there."""
    with suppress(NoSuchPost):
        return bool(deletes.of(name)) and deletes.is_deleted(name, directory.sha256(name))
    return False  # it went while we looked


def _for(keyring: Keyring, head: Head) -> str:
    from mau.openpgp import Kind
    from mau_cli.audience import keyid_words

    if head.kind is Kind.ENCRYPTED:
        words = [keyid_words(keyring, keyid) for keyid in head.recipients[:_MOST]]
        more = len(head.recipients) - len(words)
        return ", ".join(words) + (f" and {more} more" if more else "")
    return "everybody" if head.kind is Kind.SIGNED else "(not a message)"


def _facts(
    keyring: Keyring, deletes: Deletes, directory: AuthorDir, entry: Entry, head: Head
) -> dict[str, object]:
    from mau_cli.audience import keyid_facts
    from mau_cli.people import moment

    return {
        "name": entry.name,
        "size": entry.size,
        "sha256": directory.sha256(entry.name),
        "mtime": moment(entry.mtime_ns // 1_000_000_000),
        "kind": head.kind.name.lower(),
        "recipients": [keyid_facts(keyring, keyid) for keyid in head.recipients],
        "deleted": _is_deleted(deletes, directory, entry.name),
        "deletes": said.target if (said := deletes.named(entry.name)) is not None else None,
    }
