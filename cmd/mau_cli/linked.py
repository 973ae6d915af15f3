"""A link where a key is wanted: what it claims, and what follows once its person is a friend."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mau.errors import IdentityError, NotOffered, PartlyDone, PeerError
from mau_cli.output import clean, say

if TYPE_CHECKING:
    from mau.introduction import Introduction
    from mau.invite.link import Link
    from mau_cli.context import Session


def link_in(word: str) -> Link | None:
    """The link that a word is; None when it is none. LinkMalformed."""
    from mau.invite.link import is_link, parse_link

    return parse_link(word) if is_link(word) else None


def say_claim(link: Link) -> None:
    """Say what the link calls its person: anybody can write that."""
    if link.name:
        say(f"The link calls them {clean(link.name)!r}; that is a claim.")


def finish(session: Session, link: Link, introduction: Introduction) -> None:
    """The person of the link is a friend now: note the addresses, show the token. PartlyDone."""
    import asyncio

    from mau.invite.showing import note_places, show_token
    from mau_cli.reached import own_link, own_places

    note_places(session.root, link)
    if link.token is None:
        say("They have you as a friend once they add you too: `mau invite` makes a link for them.")
        return
    account = session.account()
    own = own_link(session, account.certificate, None, own_places(session))
    try:
        asyncio.run(show_token(account, link, own, introduction.address))
    except NotOffered:
        raise PartlyDone(
            "the friendship stands on your side, but the invite in the link is used or over, so they were "
            "not asked. Ask for another one, or give them yours: mau invite"
        ) from None
    except (PeerError, IdentityError) as error:
        raise PartlyDone(
            f"the friendship stands on your side, but they could not be asked: {error}. Say the same again "
            "later, or give them a link of yours: mau invite"
        ) from None
    say("They were asked. Once they say yes, you get what they write for friends.")
    if not own.addresses and not own.relays:
        say(
            "No address of yours is known to tell them: set reach.addresses, or let `mau up` find out, so "
            "that they get what you write."
        )
