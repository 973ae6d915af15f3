"""What one writes about another's post: replies, likes, shares, messages, as documents. Pure.

The words are those of schema.org (spec/conversations.md CV1-CV14). `bind_document` adds to each where it lies
and for whom it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Literal, get_args

from mau.content.address import Address, person_iri
from mau.content.links import Reference
from mau.content.tags import with_keywords
from mau.errors import UsageError
from mau.fingerprint import Fingerprint

ReplyKind = Literal["Comment", "Answer"]
ActionKind = Literal["LikeAction", "DislikeAction", "BookmarkAction", "ShareAction", "FollowAction"]

ACTIONS: Final[tuple[str, ...]] = get_args(ActionKind)


def comment(
    author: Fingerprint,
    parent: Reference,
    text: str,
    now: datetime,
    *,
    media: Iterable[Mapping[str, Any]] = (),
    kind: ReplyKind = "Comment",
) -> dict[str, Any]:
    """An answer to the post `parent`; `Answer` is for a Question. UsageError when `parent` is no post."""
    if parent.address.name is None:
        raise UsageError("an answer is to a post, not to a person; `mau message` writes to people")
    return _with_media(
        {
            "@type": kind,
            "author": {"@id": person_iri(author)},
            "dateCreated": _time(now),
            "parentItem": _reference(parent),
            "text": text,
        },
        media,
    )


def action(
    author: Fingerprint, kind: ActionKind, target: Reference, now: datetime, *, text: str = ""
) -> dict[str, Any]:
    """What its author did to a post, or to a person whom he follows; `text` is what he says to it.

    UsageError when the target cannot be acted upon so.
    """
    if (target.address.name is None) != (kind == "FollowAction"):
        raise UsageError(f"a {kind} has a {'person' if kind == 'FollowAction' else 'post'} as its object")
    document: dict[str, Any] = {
        "@type": kind,
        "agent": {"@id": person_iri(author)},
        "object": _reference(target),
        "startTime": _time(now),
    }
    if text:
        document["description"] = text
    return document


def message(
    sender: Fingerprint,
    recipients: Iterable[Fingerprint],
    text: str,
    now: datetime,
    *,
    parent: Reference | None = None,
    media: Iterable[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """A message to some people; `parent` is the message that it answers. UsageError without anybody."""
    people = sorted(set(recipients) - {sender})
    if not people:
        raise UsageError("a message is for somebody; `mau post --me` keeps a note for yourself")
    document: dict[str, Any] = {
        "@type": "Message",
        "sender": {"@id": person_iri(sender)},
        "recipient": [{"@id": person_iri(one)} for one in people],
        "dateSent": _time(now),
        "text": text,
    }
    if parent is not None:
        document["parentItem"] = _reference(parent)
    return _with_media(document, media)


def _with_media(document: dict[str, Any], media: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    found = [dict(one) for one in media]
    if found:
        document["associatedMedia"] = found
    return with_keywords(document)


def _reference(to: Reference) -> dict[str, str]:
    """The address that follows the newest, and beside it the content that was seen."""
    stated = {"@id": str(Address(to.address.author, to.address.name))}
    seen = to.address.version or to.sha256
    if seen is not None:
        stated["sha256"] = seen
    return stated


def _time(now: datetime) -> str:
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
