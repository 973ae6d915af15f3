"""A post in the form that another program wants, written out; and what that means for who can read it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mau.errors import UsageError
from mau_cli.output import raw, say
from mau_cli.saving import save

if TYPE_CHECKING:
    from mau.content.shown import Media
    from mau.exports.page import File
    from mau.keyring import Keyring
    from mau.reader.open import OpenedPost
    from mau_cli.context import Session
    from mau_cli.posts import Meant

_MAX_ARMORED = 64 << 20  # bytes of a file


def export_post(
    session: Session, ref: str, form: str, output: Path | None, *, with_media: bool, force: bool
) -> None:
    """Write the post REF as ``form`` to ``output`` or stdout, and say on stderr who can read that."""
    from mau_cli.people import suspect_keyring
    from mau_cli.posts import resolve_ref

    keyring = suspect_keyring(session)
    meant = resolve_ref(session, keyring, ref)
    post = _checked(session, keyring, meant)
    if form in {"armor", "eml"}:
        content = _as_it_lies(meant, post, form)
    else:
        content = _opened(session, keyring, post, form, with_media=with_media)
    _say_who_reads(keyring, post, encrypted=form in {"armor", "eml"})
    if output is None or str(output) == "-":
        raw(content)
        return
    save(output, content, force)
    say(f"It is in {str(output)!r}.")


def _checked(session: Session, keyring: Keyring, meant: Meant) -> OpenedPost:
    """The post, after its signature held."""
    from mau_cli.posts import opened

    with opened(session, keyring, meant, meant.version) as (post, _):
        return post


def _as_it_lies(meant: Meant, post: OpenedPost, form: str) -> bytes:
    from mau.exports.mail import mail_of
    from mau.openpgp.armoring import armor_message

    directory = meant.directory
    with (
        directory.open(meant.name)
        if meant.version is None
        else directory.open_version(meant.name, meant.version)
    ) as file:
        source = file.read(_MAX_ARMORED + 1)
    if len(source) > _MAX_ARMORED:
        raise UsageError(
            f"as text that is too large: more than {_MAX_ARMORED >> 20} MiB; send the file itself"
        )
    armored = armor_message(source)
    if form == "armor":
        return armored.encode("ascii")
    return mail_of(armored, post.signed_at, encrypted=post.opened.encrypted)


def _opened(session: Session, keyring: Keyring, post: OpenedPost, form: str, *, with_media: bool) -> bytes:
    from mau.content.frontmatter import page_of

    if post.document is None or post.opened.data is None:
        raise UsageError("that is a file and no document; `mau open` saves it as it is")
    if form == "json":
        return post.opened.data
    if form == "markdown":
        return page_of(post.document, notes=[_by(keyring, post)]).encode()
    return _page(session, keyring, post, with_media=with_media).encode()


def _page(session: Session, keyring: Keyring, post: OpenedPost, *, with_media: bool) -> str:
    from mau.content.address import post_iri
    from mau.content.binding import Public
    from mau.content.origin import from_web
    from mau.content.shown import shown
    from mau.exports.gathering import Files
    from mau.exports.page import About, page_of
    from mau_cli.display import languages_of

    origin = from_web(keyring.me.fingerprint, post.author, post.document, post.audience)
    about = About(
        _name(keyring, post),
        post.author.hex,
        post_iri(post.author, post.name),
        post.signed_at,
        isinstance(post.audience, Public),
        "" if origin is None else origin.host,
    )
    seen = shown(post.author, post.document or {}, languages_of(session), signed_at=post.signed_at)
    files = Files(session.account(), keyring)

    def none(_: Media) -> File | None:
        return None

    page = page_of(seen, about, files if with_media else none)
    if files.missing:
        say(f"{files.missing} of its files are not in it: not held here, too large, or of another kind.")
    elif seen.media and not with_media:
        say("Its pictures and other files are only named; --with-media puts them in.")
    return page


def _by(keyring: Keyring, post: OpenedPost) -> str:
    from mau_cli.posts import local_time

    return f"By {_name(keyring, post)} ({post.author.hex}), signed {local_time(post.signed_at)}."


def _name(keyring: Keyring, post: OpenedPost) -> str:
    """How the author is called for somebody else than me: by name, also when that is me."""
    person = keyring.person(post.author)
    if post.author == keyring.me.fingerprint:
        return keyring.me.certificate.name or post.author.hex
    return person.label if person is not None else post.author.hex


def _say_who_reads(keyring: Keyring, post: OpenedPost, *, encrypted: bool) -> None:
    from mau.content.binding import Public
    from mau_cli.audience import audience_words

    whom = audience_words(keyring, post.audience, post.author)
    if not post.opened.encrypted:
        say("It is signed and not encrypted: everybody can read it.")
    elif encrypted:
        say(f"It stays encrypted, for {whom}.")
    elif not isinstance(post.audience, Public):
        say(f"This leaves the encryption: whoever gets it can read what is for {whom}.")
