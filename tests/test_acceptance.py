"""The rules of acceptance, as tables: who brought what, stated for whom, over what was held."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mau.acceptance import HIDDEN, MAX_AHEAD, Held, Piece, check_piece, decide
from mau.content.binding import PUBLIC, UNBOUND, Audience, Statement
from mau.errors import FromTheFuture, Leaked, PostError, Renamed, RolledBack, UnboundFromRelay
from mau.fingerprint import Fingerprint

ME = Fingerprint(b"\x01" * 20)
AUTHOR = Fingerprint(b"\x02" * 20)
FRIEND = Fingerprint(b"\x03" * 20)
MY_KEY, AUTHORS_KEY, FRIENDS_KEY, STRANGERS_KEY = (bytes([number]) * 8 for number in range(1, 5))
OWNERS = {MY_KEY: ME, AUTHORS_KEY: AUTHOR, FRIENDS_KEY: FRIEND}
NOW = 1_800_000_000
NAME = "x.json.pgp"
FOR_ME = frozenset({AUTHOR, ME})
FOR_US = frozenset({AUTHOR, ME, FRIEND})


def piece(
    audience: Audience | None = FOR_ME,
    keys: tuple[bytes, ...] = (AUTHORS_KEY, MY_KEY),
    *,
    name: str | None = NAME,
    author: Fingerprint = AUTHOR,
    signed_at: int = NOW,
) -> Piece:
    return Piece(author, NAME, "a" * 64, 100, signed_at, bool(keys), keys, Statement(name, audience))


def check(one: Piece, *, from_author: bool = True, named_by: Statement | None = None) -> Piece:
    return check_piece(
        one,
        me=ME,
        owner_of=OWNERS.get,
        from_author=from_author,
        now=NOW,
        named_by=lambda sha256: named_by if sha256 == one.sha256 else None,
    )


NONE: tuple[bytes, ...] = ()
WHO = ("author", "relay")


@pytest.mark.parametrize("source", WHO)
@pytest.mark.parametrize(
    "good",
    [
        piece(),
        piece(FOR_US, (AUTHORS_KEY, MY_KEY, FRIENDS_KEY)),
        piece(FOR_US, (AUTHORS_KEY, MY_KEY)),  # it may reach fewer than stated
        piece(FOR_ME, (AUTHORS_KEY, MY_KEY, STRANGERS_KEY)),  # nobody knows whose key that is
        piece(FOR_ME, (AUTHORS_KEY, MY_KEY, HIDDEN)),
        piece(PUBLIC, NONE),
        piece(PUBLIC, (AUTHORS_KEY, MY_KEY)),
        piece(None),  # encrypted for me: whoever brought it
        piece(None, (HIDDEN,), name=None),
        piece(frozenset({ME}), (MY_KEY,), author=ME),
        piece(signed_at=NOW + MAX_AHEAD),
        piece(signed_at=0),
    ],
)
def test_good_from_anybody(good: Piece, source: str) -> None:
    assert check(good, from_author=source == "author") is good


@pytest.mark.parametrize("source", WHO)
@pytest.mark.parametrize(
    ("bad", "error"),
    [
        (piece(FOR_ME, NONE), Leaked),  # the encryption was stripped
        (piece(FOR_US, NONE), Leaked),
        (piece(frozenset({AUTHOR}), NONE), Leaked),
        (piece(FOR_ME, NONE, name=None), Leaked),
        (piece(frozenset({AUTHOR, FRIEND})), Leaked),  # somebody made it readable for me
        (piece(frozenset({AUTHOR, FRIEND}), (FRIENDS_KEY, MY_KEY)), Leaked),
        (piece(frozenset({AUTHOR})), Leaked),
        (piece(FOR_ME, (AUTHORS_KEY, MY_KEY, FRIENDS_KEY)), Leaked),  # and for somebody I know
        (piece(name="y.json.pgp"), Renamed),
        (piece(PUBLIC, NONE, name="y.json.pgp"), Renamed),
        (piece(signed_at=NOW + MAX_AHEAD + 1), FromTheFuture),
        # What lasts for ever is said first.
        (piece(FOR_ME, NONE, name="y.json.pgp", signed_at=NOW + 10**6), Leaked),
        (piece(name="y.json.pgp", signed_at=NOW + 10**6), Renamed),
    ],
)
def test_bad_from_anybody(bad: Piece, error: type[PostError], source: str) -> None:
    with pytest.raises(PostError) as caught:
        check(bad, from_author=source == "author")
    assert caught.type is error


@pytest.mark.parametrize(
    "unbound",
    [
        piece(None, NONE, name=None),
        piece(None, NONE),
        piece(PUBLIC, NONE, name=None),
    ],
)
def test_unbound_only_from_the_author_unless_it_is_for_me(unbound: Piece) -> None:
    assert check(unbound) is unbound
    with pytest.raises(UnboundFromRelay):
        check(unbound, from_author=False)


def test_unbound_for_others_from_a_relay() -> None:
    with pytest.raises(UnboundFromRelay):
        check(piece(None, (AUTHORS_KEY, FRIENDS_KEY), name=None), from_author=False)


@pytest.mark.parametrize("source", WHO)
def test_an_unbound_piece_takes_what_a_bound_post_says_of_it(source: str) -> None:
    unbound = replace(piece(None, NONE), statement=UNBOUND)
    from_author = source == "author"
    taken = check(unbound, from_author=from_author, named_by=Statement(NAME, PUBLIC))
    assert taken == replace(unbound, statement=Statement(NAME, PUBLIC))
    with pytest.raises(Leaked):
        check(unbound, from_author=from_author, named_by=Statement(NAME, FOR_ME))
    with pytest.raises(Renamed):
        check(unbound, from_author=from_author, named_by=Statement("y.pgp", PUBLIC))


def test_a_piece_that_states_something_itself_takes_nothing() -> None:
    one = piece(PUBLIC, NONE)
    assert check(one, named_by=Statement("y.pgp", FOR_ME)) is one


@pytest.mark.parametrize(
    ("ahead", "words"), [(3600, "60 minutes"), (10 * 3600, "10 hours"), (10**8, "1157 days")]
)
def test_how_far_ahead_is_said(ahead: int, words: str) -> None:
    with pytest.raises(FromTheFuture, match=words):
        check(piece(signed_at=NOW + ahead))


# --- newer or older ----------------------------------------------------------------------------------------

OLD, SAME, OTHER = "0" * 64, "a" * 64, "b" * 64
EARLIER, LATER = NOW - 10, NOW + 10


@pytest.mark.parametrize(
    ("one", "held", "versions", "by_author", "by_relay"),
    [
        # nothing is held
        (piece(), None, (), "take", "take"),
        (piece(), None, (SAME,), "take", RolledBack),
        (piece(None), None, (), "take", "take"),
        # the same is held
        (piece(), Held(SAME, NOW), (), "same", "same"),
        (piece(), Held(SAME, None), (), "same", "same"),
        (piece(), Held(SAME, NOW), (SAME,), "same", "same"),
        (piece(None), Held(SAME, NOW), (), "same", "same"),
        # something else is held
        (piece(), Held(OTHER, EARLIER), (), "take", "take"),
        (piece(), Held(OTHER, EARLIER), (OLD,), "take", "take"),
        (piece(), Held(OTHER, NOW), (), "take", RolledBack),
        (piece(), Held(OTHER, LATER), (), "take", RolledBack),
        (piece(), Held(OTHER, None), (), "take", RolledBack),
        (piece(), Held(OTHER, EARLIER), (SAME,), "take", RolledBack),
        (piece(PUBLIC, NONE), Held(OTHER, EARLIER), (), "take", "take"),
        (piece(None), Held(OTHER, EARLIER), (), "take", UnboundFromRelay),
        (piece(FOR_ME, name=None), Held(OTHER, EARLIER), (), "take", UnboundFromRelay),
        (piece(None), Held(OTHER, EARLIER), (SAME,), "take", RolledBack),
    ],
)
def test_what_replaces_what(
    one: Piece,
    held: Held | None,
    versions: tuple[str, ...],
    by_author: str,
    by_relay: str | type[PostError],
) -> None:
    assert decide(one, held, versions, from_author=True) == by_author
    if isinstance(by_relay, str):
        assert decide(one, held, versions, from_author=False) == by_relay
    else:
        with pytest.raises(by_relay):
            decide(one, held, versions, from_author=False)


def test_errors_say_for_how_long_they_hold() -> None:
    assert Leaked.lasting == "refused"
    assert FromTheFuture.lasting == "deferred"
    assert {Renamed.lasting, RolledBack.lasting, UnboundFromRelay.lasting} == {"source"}
