"""Likes, dislikes and bookmarks: one of each for a post, and taking them back."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mau_cli.output import clean, data, emit_json, say

if TYPE_CHECKING:
    from mau.content.address import Address
    from mau.content.links import Act
    from mau.conversation.compose import ActionKind
    from mau.deletion.publishing import DeletedPost
    from mau.keyring import Keyring
    from mau.reader.summary import Summary
    from mau_cli.context import Session

OPINIONS: frozenset[Act] = frozenset({"like", "dislike"})
"""Of these one holds at a time for each post (spec/conversations.md CV9)."""


def give_opinion(session: Session, ref: str, kind: ActionKind, *, as_json: bool, **audience: Any) -> None:
    """Publish a like or a dislike of the post REF, and withdraw what was said of it before."""
    from mau.conversation.compose import action
    from mau.publish import choose_name, publish_document
    from mau_cli.deriving import author_alone, choose_derived, find_original
    from mau_cli.published import tell

    account, keyring = session.account(), session.keyring()
    original = find_original(session, keyring, ref)
    act: Act = "like" if kind == "LikeAction" else "dislike"
    earlier = mine(session, keyring, original.reference.address, OPINIONS)
    said = next((one for one in earlier if one.links.act == act), None)
    if said is not None:
        say(f"You said so before; `mau unlike {ref}` takes it back.")
        tell_names(keyring, [said], as_json=as_json)
        return
    whom = choose_derived(session, original, of_public=author_alone, **audience)
    now = datetime.now(UTC)
    name = choose_name(
        account, whom, words=f"{act} {original.meant.name.partition('.')[0]}", suffix=".json", now=now
    )
    document = action(account.fingerprint, kind, original.reference, now)
    done = publish_document(account, keyring, document, name, whom)
    # Afterwards: what is cut off between the two leaves both, and the newer one counts.
    withdraw(session, keyring, earlier)
    tell(keyring, done, as_json=as_json)


def mine(session: Session, keyring: Keyring, address: Address, acts: Collection[Act]) -> list[Summary]:
    """My own posts that do this to the post at `address`, newest first."""
    from mau.reader.reading import Reading

    with Reading(session.account(), keyring) as reading:
        reading.refresh()
        found = reading.pointing_at(address)
    me = keyring.me.fingerprint
    return [one for one in found if one.author == me and one.links.act in acts]


def withdraw(session: Session, keyring: Keyring, posts: Collection[Summary]) -> list[DeletedPost]:
    """Delete own posts, and tell those who could read them."""
    from mau.deletion.publishing import delete_post

    return [delete_post(session.account(), keyring, one.name) for one in posts]


def tell_names(keyring: Keyring, posts: Collection[Summary], *, as_json: bool) -> None:
    """Own posts by name, or with their addresses as JSON."""
    from mau_cli.audience import audience_facts

    if as_json:
        emit_json(
            [
                {"name": one.name, "address": str(one.address), "audience": audience_facts(one.audience)}
                for one in posts
            ]
        )
        return
    for one in posts:
        data(clean(one.name))
