"""Writing for programs: posts, answers, messages, deletes. Blocking; called in the program's own thread."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mau.attachments import Attachment, attached, with_media
from mau.content.address import Address, person_iri, post_iri
from mau.content.links import Reference, word_of
from mau.content.posting import compose_posting, text_of, type_of
from mau.content.tags import with_keywords
from mau.conversation import compose
from mau.conversation.audience import derived_audience
from mau.conversation.audience import wider as is_wider
from mau.deletion.publishing import delete_post
from mau.errors import MauError, NoAudience, UsageError
from mau.groups.following import follow_lists
from mau.marks import blocked
from mau.program.audience import To, audience, words_of
from mau.program.refs import Ref
from mau.program.values import Posted
from mau.publish import Published, check_filename, choose_name, file_words, publish_document, publish_file
from mau.reader.open import open_post

if TYPE_CHECKING:
    from mau.content.binding import Audience
    from mau.conversation.compose import ActionKind
    from mau.fingerprint import Fingerprint
    from mau.program.desk import Desk

Attach = Sequence[Attachment | Path | str]


def post(
    desk: Desk, what: str | Mapping[str, Any], to: To, name: str | None, title: str, attach: Attach
) -> Posted:
    """Post a text, or a JSON-LD document; UsageError, what `audience` and `publish_document` raise."""
    whom = _whom(desk, to)
    now = datetime.now(UTC)
    if isinstance(what, str):
        if not what.strip():
            raise UsageError("there is nothing in it to post")
        document = compose_posting(desk.account.fingerprint, what, now)
        if title:
            document["headline"] = title
    else:
        document = {"author": {"@id": person_iri(desk.account.fingerprint)}, **what}
        if title:
            raise UsageError("a document says its title itself")
    return _publish(desk, document, whom, name, attach)


def share(desk: Desk, source: Path | bytes, to: To, name: str | None, filename: str | None) -> Posted:
    """Post a file as it is; its bytes are signed, not what stands in them."""
    whom = _whom(desk, to)
    called = filename or ("" if isinstance(source, bytes) else source.name)
    words, suffix = file_words(called)
    chosen = choose_name(desk.account, whom, given=name, words=words, suffix=suffix)
    with io.BytesIO(source) if isinstance(source, bytes) else source.open("rb") as file:
        travels = check_filename(called)
        return _stored(desk, publish_file(desk.account, desk.keyring, file, chosen, whom, travels))


def reply(desk: Desk, ref: Ref, text: str, to: To | None, attach: Attach, *, wider: bool) -> Posted:
    """Answer a post that is held; NoAudience when it is public, or tells nobody, and `to` is not given."""
    if not text.strip():
        raise UsageError("there is nothing in it to post")
    original = _original(desk, ref)
    whom, left_out = _whom_of(desk, original, to, wider=wider)
    me, now = desk.account.fingerprint, datetime.now(UTC)
    if original.kind == "Message" and isinstance(whom, frozenset) and whom != {me}:
        document = compose.message(me, whom, text, now, parent=original.reference)
    else:
        kind: compose.ReplyKind = "Answer" if original.kind == "Question" else "Comment"
        document = compose.comment(me, original.reference, text, now, kind=kind)
    return _publish(desk, document, whom, None, attach, left_out)


def act(desk: Desk, ref: Ref, kind: ActionKind, text: str, to: To | None, *, wider: bool) -> Posted:
    """Like, share or bookmark a post that is held; NoAudience as of `reply`."""
    original = _original(desk, ref)
    whom, left_out = _whom_of(desk, original, to, wider=wider)
    me, now = desk.account.fingerprint, datetime.now(UTC)
    document = compose.action(me, kind, original.reference, now, text=text)
    return _publish(desk, document, whom, None, (), left_out)


def message(desk: Desk, to: To, text: str, attach: Attach) -> Posted:
    """Write to some people; a message is never public."""
    whom = _whom(desk, to)
    if not isinstance(whom, frozenset):
        raise UsageError("a message is for somebody; `post` is for everybody")
    document = compose.message(desk.account.fingerprint, whom, text, datetime.now(UTC))
    return _publish(desk, document, whom, None, attach)


def delete(desk: Desk, ref: Ref) -> None:
    """Take a post of one's own back with the files that it alone has; UsageError for another's."""
    from mau.attachments.owned import files_alone_of

    address = desk.address(ref)
    if address.author != desk.account.fingerprint or address.name is None:
        raise UsageError("only a post of your own can be deleted")
    files = files_alone_of(desk.account, desk.keyring, address.name)
    for name in (address.name, *files):
        delete_post(desk.account, desk.keyring, name)


# --- how -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Original:
    """What something is about, with the content that was seen. `readers`: who could read it, if known."""

    reference: Reference
    kind: str
    readers: Audience | None


def _whom(desk: Desk, to: To) -> Audience:

    desk.keyring.refresh()
    if any(word.startswith("@") for word in words_of(to)):
        with suppress(MauError, OSError):  # a list that cannot be read now changes nothing
            follow_lists(desk.account, desk.keyring)
    return audience(desk.keyring, to, blocked(desk.account))


def _original(desk: Desk, ref: Ref) -> _Original:
    address = desk.address(ref)
    assert address.name is not None  # noqa: S101 - `address_of` says so
    seen = desk.directory_sum(address)
    found = open_post(desk.account, desk.keyring, address.author, address.name, address.version)
    readers = found.audience
    if readers is None and found.opened.encrypted:
        owners = (desk.keyring.owner_of(keyid) for keyid in found.opened.recipients)
        readers = frozenset(one for one in owners if one is not None) | {address.author}
    kind = word_of(type_of(found.document or {}))
    return _Original(Reference(Address(address.author, address.name), seen), kind, readers)


def _whom_of(
    desk: Desk, original: _Original, to: To | None, *, wider: bool
) -> tuple[Audience, tuple[Fingerprint, ...]]:
    """For whom it is, and who could read the original and is left out."""
    author = original.reference.address.author
    if to is not None:
        whom = _whom(desk, to)
        if not wider and is_wider(whom, author, original.readers):
            raise UsageError(
                "what this is about was not written for all of these; say wider=True to tell them"
            )
        return whom, ()
    derived = derived_audience(desk.keyring, author, original.readers, refused=blocked(desk.account))
    if derived.audience is None:
        raise NoAudience("the post is public, or does not say for whom it is: say for whom this is (to=)")
    return derived.audience, tuple(one.fingerprint for one in derived.left_out)


def _publish(
    desk: Desk,
    document: dict[str, Any],
    whom: Audience,
    name: str | None,
    attach: Attach,
    left_out: tuple[Fingerprint, ...] = (),
) -> Posted:
    files = [one if isinstance(one, Attachment) else Attachment(Path(one)) for one in attach]
    with attached(desk.account, desk.keyring, files, whom) as media:
        document = with_keywords(with_media(document, media))
        chosen = choose_name(desk.account, whom, given=name, words=text_of(document), suffix=".json")
        done = publish_document(desk.account, desk.keyring, document, chosen, whom)
    return _stored(desk, done, left_out)


def _stored(desk: Desk, done: Published, left_out: tuple[Fingerprint, ...] = ()) -> Posted:
    address = post_iri(desk.account.fingerprint, done.name)
    return Posted(address, done.name, done.sha256, done.audience, left_out)
