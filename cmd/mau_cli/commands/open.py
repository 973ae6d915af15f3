"""`mau open`: a post, after everything about it was checked."""

from __future__ import annotations

import shutil
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mau.errors import NoSuchPost, NotReadable, PostError, UsageError
from mau_cli.context import Session
from mau_cli.output import emit_json, raw, say
from mau_cli.saving import beside, check_output

if TYPE_CHECKING:
    from mau.keyring import Keyring
    from mau.reader.open import OpenedPost
    from mau_cli.posts import Meant


@click.command("open")
@click.argument("who")
@click.argument("name", required=False)
@click.option("--version", metavar="HASH", help="An older content, by its sha256 or the beginning of it.")
@click.option(
    "-o", "--output", metavar="FILE", type=click.Path(path_type=Path), help="Write the content to FILE."
)
@click.option("--force", is_flag=True, help="Let FILE be replaced.")
@click.option("--anyway", is_flag=True, help="Show it with a warning when it does not hold.")
@click.option(
    "--as",
    "form",
    type=click.Choice(["text", "raw"]),
    help="The text for reading, or the content as it is. Else: text on a terminal, raw elsewhere.",
)
@click.option("--json", "as_json", is_flag=True, help="Show who signed it, when and for whom, as JSON.")
@click.pass_obj
def command(
    session: Session,
    who: str,
    name: str | None,
    version: str | None,
    output: Path | None,
    force: bool,
    anyway: bool,
    form: str | None,
    as_json: bool,
) -> None:
    """Open the post NAME of WHO (`me` is one, too); WHO and NAME can be one address.

    Who signed it, when and for whom goes to stderr, the content to stdout or FILE. When the signature, the
    name or the audience does not hold, it says why and shows nothing, unless --anyway.
    """
    from mau_cli.marking import mark_opened
    from mau_cli.people import suspect_keyring
    from mau_cli.posts import find_post, find_version, opened

    if output is not None:
        if form == "text":
            raise UsageError("FILE gets the content as it is; --as text goes to stdout")
        check_output(output, force)
    keyring = suspect_keyring(session)
    meant, addressed = find_post(session, keyring, who, name)
    asked = version or addressed
    sha256 = None if asked is None else find_version(meant, asked)
    try:
        if output is not None:
            post = _into(session, keyring, meant, sha256, output, force=force, anyway=anyway)
            _tell(keyring, post, _is_deleted(session, keyring, meant, sha256, post), as_json=as_json)
            mark_opened(session, post)
            return
        with opened(session, keyring, meant, sha256, anyway=anyway) as (post, path):
            _tell(keyring, post, _is_deleted(session, keyring, meant, sha256, post), as_json=as_json)
            if not as_json:
                _show(session, keyring, post, path, form or ("text" if sys.stdout.isatty() else "raw"))
                mark_opened(session, post)
    except PostError as error:
        hint = (
            "" if anyway or isinstance(error, NotReadable) else "\n--anyway shows it all the same, if it can"
        )
        raise type(error)(f"{meant.name} is not shown: {error}{hint}") from None


def _is_deleted(
    session: Session, keyring: Keyring, meant: Meant, sha256: str | None, post: OpenedPost
) -> bool:
    """Whether its author deleted what is shown."""
    from mau.deletion.held import deletes_of

    deletes = deletes_of(session.account(), keyring, meant.author)
    if not deletes.of(meant.name):
        return False
    with suppress(NoSuchPost):
        shown = sha256 or meant.directory.sha256(meant.name)
        return deletes.is_deleted(meant.name, shown, post.signed_at if post.opened.signer else None)
    return False  # it went meanwhile


def _tell(keyring: Keyring, post: OpenedPost, deleted: bool, *, as_json: bool) -> None:
    from mau_cli.audience import audience_words, called
    from mau_cli.posts import local_time

    if post.problem is not None:
        say(f"WARNING: this does not hold: {post.problem}.")
        if post.opened.signer is None:
            say("Anybody may have written what follows.")
    if post.opened.signer is not None:
        by = called(keyring, post.author)
        by = by if by == post.author.hex else f"{by} ({post.author})"
        whom = audience_words(keyring, post.audience, post.author)
        say(f"{post.name}, signed by {by} on {local_time(post.signed_at)}, for {whom}.")
    if post.filename is not None:
        say(f"The file was called {post.filename!r}.")
    if deleted:
        say("You deleted it." if post.author == keyring.me.fingerprint else "Its author deleted it.")
    for note in post.notes:
        say(f"Note: {note}.")
    if as_json:
        emit_json(_facts(post, deleted))


def _facts(post: OpenedPost, deleted: bool) -> dict[str, object]:
    from mau.content.address import post_iri
    from mau_cli.audience import audience_facts
    from mau_cli.people import moment
    from mau_cli.posts import document_facts

    return {
        "author": post.author,
        "name": post.name,
        "address": post_iri(post.author, post.name),
        "signed": moment(post.signed_at) if post.opened.signer is not None else None,
        "audience": audience_facts(post.audience),
        "encrypted": post.opened.encrypted,
        "size": post.opened.size,
        "filename": post.filename,
        "notes": list(post.notes),
        "deleted": deleted,
        "problem": None if post.problem is None else str(post.problem),
        "document": document_facts(post.document),
    }


def _show(session: Session, keyring: Keyring, post: OpenedPost, path: Path | None, form: str) -> None:
    """The content to stdout: readable and harmless, or as it is; a terminal gets nothing as it is."""
    if form == "text":
        from mau_cli.display import show_content

        show_content(session, keyring, post)
    elif post.opened.data is not None:
        raw(post.opened.data)
    elif path is not None and not sys.stdout.isatty():
        sys.stdout.flush()
        with path.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer, 1 << 20)
    else:
        say(f"{post.opened.size} bytes; -o FILE writes them to a file.")


# --- into a file -------------------------------------------------------------------------------------------


def _into(
    session: Session,
    keyring: Keyring,
    meant: Meant,
    sha256: str | None,
    output: Path,
    *,
    force: bool,
    anyway: bool,
) -> OpenedPost:
    """Open into a file beside ``output``, which takes its place only when everything was checked."""
    from mau.reader.open import open_post

    with beside(output, force) as made:
        return open_post(
            session.account(), keyring, meant.author, meant.name, sha256, sink=made, anyway=anyway
        )
