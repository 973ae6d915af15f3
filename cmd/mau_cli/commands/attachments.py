"""`mau attachments`: the files that belong to a post."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mau.errors import PartlyDone, UsageError
from mau_cli.context import Session
from mau_cli.output import data, drawing, emit_json, say, table

if TYPE_CHECKING:
    from mau.attachments.saving import Saved
    from mau.keyring import Keyring
    from mau.reader.open import OpenedPost

_WORDS = {
    "held": "",
    "version": "an older content of its name",
    "other": "its name has another content now; the one that was attached is not held",
    "missing": "not held here",
}


@click.command("attachments")
@click.argument("ref", required=False)
@click.option(
    "--save",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Write them into DIR; nothing there is replaced.",
)
@click.option("--show", is_flag=True, help="Draw the pictures, where the terminal can.")
@click.option("--unused", "only_unused", is_flag=True, help="List files of yours that no post of yours has.")
@click.option("--json", "as_json", is_flag=True, help="Show it as JSON.")
@click.pass_obj
def command(
    session: Session, ref: str | None, save: Path | None, show: bool, only_unused: bool, as_json: bool
) -> None:
    """List the files that belong to the post REF, save or show them.

    Each is the very file that its author attached, by the sha256 that the post states. When its name has
    another content by now, the older one is taken where it is held, and that is said where it is not.
    """
    if only_unused:
        if ref is not None or save is not None or show:
            raise UsageError("--unused is about all of your files; it goes with no other option but --json")
        _list_unused(session, as_json=as_json)
        return
    if ref is None:
        raise UsageError("of which post? Say REF: an address, WHO/NAME, or the beginning of a name")
    _of_post(session, ref, save, show=show, as_json=as_json)


def _of_post(session: Session, ref: str, save: Path | None, *, show: bool, as_json: bool) -> None:
    from mau.attachments import parts_of
    from mau.attachments.saving import look_at, save_media
    from mau_cli.audience import called
    from mau_cli.people import suspect_keyring
    from mau_cli.posts import opened, resolve_ref

    account, keyring = session.account(), suspect_keyring(session)
    meant = resolve_ref(session, keyring, ref)
    with opened(session, keyring, meant, meant.version) as (post, _):
        parts = [part for part in parts_of(post.author, post.document) if not part.is_thumbnail]
        done = look_at(account, parts) if save is None else save_media(account, keyring, parts, save)
        if show:
            _show(session, keyring, post)
    if as_json:
        emit_json([_facts(one) for one in done])
    elif save is not None:
        for one in done:
            if one.path is not None:
                data(str(one.path))
    else:
        _list(done)
    if not done:
        say(f"No files belong to {meant.name}.")
    for one in done:
        if one.state in {"missing", "other"} and one.part.author != account.fingerprint:
            say(f"`mau fetch {called(keyring, one.part.author)} {one.part.name}` asks for it.")
    if save is not None:
        _tell_unsaved(done)


def _list(done: list[Saved]) -> None:
    from mau_cli.posts import size_words

    rows = [
        (
            one.part.called or one.part.name,
            one.part.encoding,
            size_words(one.size),
            one.part.alt,
            _problem(one),
        )
        for one in done
    ]
    table(rows, ("name", "type", "size", "shows", ""))


def _problem(one: Saved) -> str:
    return str(one.problem) if one.problem is not None else _WORDS[one.state]


def _tell_unsaved(done: list[Saved]) -> None:
    """Older contents are said, and so is what could not be saved (PartlyDone)."""
    for one in done:
        if one.path is not None and one.state == "version":
            say(f"{one.path.name}: its name has another content by now; this is the one that was attached.")
    left = [one for one in done if one.path is None]
    for one in left:
        say(f"{one.part.called or one.part.name} is not saved: {_problem(one)}.")
    if left:
        raise PartlyDone(f"{len(done) - len(left)} of {len(done)} files were saved")


def _facts(one: Saved) -> dict[str, Any]:
    from mau.content.address import post_iri

    part = one.part
    return {
        "address": post_iri(part.author, part.name),
        "sha256": part.sha256 or None,
        "name": part.called or None,
        "encoding": part.encoding or None,
        "alt": part.alt or None,
        "size": one.size,
        "state": one.state,
        "saved": None if one.path is None else str(one.path),
        "problem": None if one.problem is None else str(one.problem),
    }


def _show(session: Session, keyring: Keyring, post: OpenedPost) -> None:
    import shutil

    from mau.content.shown import shown
    from mau_cli.pictures import media_lines

    width = shutil.get_terminal_size().columns
    for media in shown(post.author, post.document or {}).media:
        drawing(media_lines(session, keyring, media, width))
        if media.alt:
            data(media.alt)


def _list_unused(session: Session, *, as_json: bool) -> None:
    from mau.attachments.owned import unused
    from mau_cli.people import moment
    from mau_cli.posts import local_time, size_words

    found = unused(session.account(), session.keyring())
    if as_json:
        facts = [
            {
                "name": one.name,
                "filename": one.filename or None,
                "size": one.size,
                "signed": moment(one.signed_at),
            }
            for one in found
        ]
        emit_json(facts)
        return
    rows = [(one.name, one.filename, size_words(one.size), local_time(one.signed_at)) for one in found]
    table(rows, ("name", "called", "size", "signed"))
    say("`mau delete NAME` takes one back." if found else "Every attached file of yours belongs to a post.")
