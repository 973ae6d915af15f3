"""`mau delete`: a post of one's own, and telling those who could read it."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from mau.errors import NoSuchPost, UsageError
from mau_cli.context import Session
from mau_cli.output import emit_json, say

if TYPE_CHECKING:
    from mau.content.binding import Audience
    from mau.deletion.publishing import DeletedPost
    from mau.fingerprint import Fingerprint
    from mau.keyring import Keyring
    from mau_cli.posts import Meant


@click.command("delete")
@click.argument("name")
@click.option("--local", is_flag=True, help="Tell nobody; it is only given out no longer.")
@click.option("--purge", is_flag=True, help="Keep no version of it here: there is no way back.")
@click.option("--keep-attachments", is_flag=True, help="Leave the files that belong to it where they are.")
@click.option("--yes", is_flag=True, help="Ask nothing.")
@click.option("--json", "as_json", is_flag=True, help="Show what was done as JSON.")
@click.pass_obj
def command(
    session: Session,
    name: str,
    local: bool,
    purge: bool,
    keep_attachments: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Delete your post NAME (all of its name) and tell those who could read it or an older version.

    The files that were attached to it, and to no other post of yours, go with it.

    It stays here as a version that nobody is given, and `mau undelete` brings it back. Friends' programs put
    it out of sight when they fetch the news; nobody can be made to forget what he has read.
    """
    from mau.attachments.owned import files_alone_of
    from mau.deletion.publishing import delete_post
    from mau.tree.names import PRIVATE_NAMES, fold
    from mau_cli.people import suspect_keyring
    from mau_cli.posts import find_post

    keyring = suspect_keyring(session) if local else session.keyring()
    try:
        meant, _ = find_post(session, keyring, "me", name, exact=True)
    except NoSuchPost:
        if (removed := _removed(session, name.rpartition("/")[2])) is None:
            raise
        meant = removed
    if fold(meant.name) in map(fold, PRIVATE_NAMES):
        raise UsageError(f"{meant.name} is a file that Mau keeps for you alone; it is not deleted")
    told = "" if local else _told_words(keyring, _readers(session, keyring, meant))
    account = session.account()
    files = [] if keep_attachments else files_alone_of(account, keyring, meant.name)
    what = f"Delete {meant.name}{_versions_words(meant) if purge else ''}{_files_words(files)}{told}?"
    if not session.confirm(f"{what} There is no way back." if purge else what, yes=yes):
        say("Nothing was deleted.")
        return
    done = delete_post(account, keyring, meant.name, publish=not local)
    for one in files:
        delete_post(account, keyring, one, publish=not local)
    for one in (meant.name, *files) if purge else ():
        with suppress(NoSuchPost):
            meant.directory.remove(one)
    _tell(keyring, done, purged=purge, local=local)
    if files:
        say(f"With it went {_count(files)} of it.")
    if as_json:
        emit_json({**_facts(keyring, done, purged=purge), "attachments": files})


def _removed(session: Session, name: str) -> Meant | None:
    """A post that was removed by hand only now, so that it is still known for whom it was."""
    from mau.tree.names import is_post_name, post_name
    from mau_cli.posts import Meant

    account = session.account()
    whole = post_name(name)
    if not is_post_name(whole) or account.posts().shadow(whole) is None:
        return None
    return Meant(account.fingerprint, whole, account.posts())


def _readers(session: Session, keyring: Keyring, meant: Meant) -> list[Audience]:
    """The audiences of everything that was given out under the name."""
    from mau.deletion.publishing import contents_of

    contents = contents_of(session.account(), keyring, meant.name)
    return [content.audience for content in contents.values()]


def _told_words(keyring: Keyring, audiences: list[Audience]) -> str:
    from mau.content.binding import PUBLIC, Public
    from mau.publish import writable

    if PUBLIC in audiences:
        return ", and tell everybody"
    me = keyring.me.fingerprint
    people: set[Fingerprint] = set()
    for audience in audiences:
        can = writable(keyring, audience)
        if not isinstance(can, Public):
            people |= can
    names = _names(keyring, people - {me})
    return f", and tell {names}" if names else ""


def _names(keyring: Keyring, people: Iterable[Fingerprint]) -> str:
    from mau_cli.audience import called

    return ", ".join(sorted((called(keyring, one) for one in people), key=str.casefold))


def _versions_words(meant: Meant) -> str:
    count = len(meant.directory.versions(meant.name))
    return "" if not count else " and its older version" if count == 1 else f" and its {count} older versions"


def _files_words(files: list[str]) -> str:
    return f" and {_count(files)} of it" if files else ""


def _count(files: list[str]) -> str:
    return "the one file" if len(files) == 1 else f"the {len(files)} files"


def _tell(keyring: Keyring, done: DeletedPost, *, purged: bool, local: bool) -> None:
    from mau_cli.audience import audience_words

    me = keyring.me.fingerprint
    if done.sha256 is None:
        say(f"{done.name} was gone already.")
    elif purged:
        say(f"Deleted {done.name} with all of its versions.")
    else:
        say(f"Deleted {done.name}; what it said is kept as version {done.sha256[:12]}, for you alone.")
    for one in done.published:
        say(f"{one.name} says so to {audience_words(keyring, one.audience, me)}.")
    if local:
        say("Nobody was told; who has fetched it keeps it.")
    elif done.left_out:
        say(f"Not told, because nothing can be encrypted for them: {_names(keyring, done.left_out)}.")


def _facts(keyring: Keyring, done: DeletedPost, *, purged: bool) -> dict[str, object]:
    from mau.content.address import post_iri
    from mau_cli.audience import audience_facts

    me = keyring.me.fingerprint
    return {
        "name": done.name,
        "address": post_iri(me, done.name),
        "version": None if purged else done.sha256,
        "deletes": [
            {
                "name": one.name,
                "address": post_iri(me, one.name),
                "sha256": one.sha256,
                "audience": audience_facts(one.audience),
            }
            for one in done.published
        ],
        "left_out": done.left_out,
    }
