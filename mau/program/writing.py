"""Writing for programs: posts, answers, messages, deletes. Blocking; called in the program's own thread."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mau.attachments import Attachment, attached
from mau.content.address import Address, person_iri, post_iri
from mau.content.links import Reference
from mau.content.posting import compose_posting, text_of, type_of
from mau.conversation import compose
from mau.conversation.audience import Derived, derived_audience
from mau.deletion.publishing import delete_post
from mau.errors import NoAudience, UsageError
from mau.groups.following import follow_lists
from mau.marks import blocked
from mau.program.audience import To, audience
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
_MEDIA = "associatedMedia"


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


def reply(desk: Desk, ref: Ref, text: str, to: To | None, attach: Attach) -> Posted:
    """Answer a post that is held; NoAudience when it is public, or tells nobody, and `to` is not given."""
    if not text.strip():
        raise UsageError("there is nothing in it to post")
    target, asked, derived = _original(desk, ref)
    whom = _derived(desk, derived, to)
    document = compose.comment(
        desk.account.fingerprint, target, text, datetime.now(UTC), kind="Answer" if asked else "Comment"
    )
    return _publish(desk, document, whom, None, attach, _left_out(derived, to))


def act(desk: Desk, ref: Ref, kind: ActionKind, text: str, to: To | None) -> Posted:
    """Like, share or bookmark a post that is held; NoAudience as of `reply`."""
    target, _, derived = _original(desk, ref)
    whom = _derived(desk, derived, to)
    document = compose.action(desk.account.fingerprint, kind, target, datetime.now(UTC), text=text)
    return _publish(desk, document, whom, None, (), _left_out(derived, to))


def message(desk: Desk, to: To, text: str, attach: Attach) -> Posted:
    """Write to some people; a message is never public."""
    whom = _whom(desk, to)
    if not isinstance(whom, frozenset):
        raise UsageError("a message is for somebody; `post` is for everybody")
    document = compose.message(desk.account.fingerprint, whom, text, datetime.now(UTC))
    return _publish(desk, document, whom, None, attach)


def delete(desk: Desk, ref: Ref) -> None:
    """Take a post of one's own back, and tell those who could read it; UsageError for another's."""
    address = desk.address(ref)
    if address.author != desk.account.fingerprint or address.name is None:
        raise UsageError("only a post of your own can be deleted")
    delete_post(desk.account, desk.keyring, address.name)


# --- how -------------------------------------------------------------------------------------------------


def _whom(desk: Desk, to: To) -> Audience:
    desk.keyring.refresh()
    words = [to] if isinstance(to, str) else to if isinstance(to, list | tuple) else []
    if any(isinstance(word, str) and word.startswith("@") for word in words):
        follow_lists(desk.account, desk.keyring)  # who is in a shared group its owner says
    return audience(desk.keyring, to, blocked(desk.account))


def _original(desk: Desk, ref: Ref) -> tuple[Reference, bool, Derived]:
    """What is answered with the content that was seen, whether it is a question, and for whom by default."""
    address = desk.address(ref)
    assert address.name is not None  # noqa: S101 - `address_of` says so
    seen = desk.directory_sum(address)
    found = open_post(desk.account, desk.keyring, address.author, address.name, address.version)
    recipients = [desk.keyring.owner_of(keyid) for keyid in found.opened.recipients]
    derived = derived_audience(
        desk.keyring,
        address.author,
        found.audience,
        [one for one in recipients if one is not None],
        refused=blocked(desk.account),
    )
    question = found.document is not None and type_of(found.document) == "Question"
    return Reference(Address(address.author, address.name), seen), question, derived


def _derived(desk: Desk, derived: Derived, to: To | None) -> Audience:
    if to is not None:
        return _whom(desk, to)
    if derived.audience is None:
        raise NoAudience("the post is public, or does not say for whom it is: say for whom this is (to=)")
    return derived.audience


def _left_out(derived: Derived, to: To | None) -> tuple[Fingerprint, ...]:
    return () if to is not None else tuple(one.fingerprint for one in derived.left_out)


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
        if media:
            held = document.get(_MEDIA, [])
            document = {**document, _MEDIA: [*(held if isinstance(held, list) else [held]), *media]}
        chosen = choose_name(desk.account, whom, given=name, words=text_of(document), suffix=".json")
        done = publish_document(desk.account, desk.keyring, document, chosen, whom)
    return _stored(desk, done, left_out)


def _stored(desk: Desk, done: Published, left_out: tuple[Fingerprint, ...] = ()) -> Posted:
    address = post_iri(desk.account.fingerprint, done.name)
    return Posted(address, done.name, done.sha256, done.audience, left_out)
