"""Deleting one's own posts, and taking that back (spec/messages.md M70-M75, M80, M84-M86).

The DeleteAction is stored before the post is taken away: whatever happens in between, nothing that it names
is given out, and doing it again finishes it.
"""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from mau.acceptance import MAX_AHEAD
from mau.content.binding import Audience, Public
from mau.deletion.document import MAX_NAMED, Delete, compose_delete
from mau.deletion.held import HeldDeletes, delete_of
from mau.deletion.resigning import Content, content_of, resign
from mau.deletion.rules import Deletes
from mau.errors import InvalidName, MauError, NoSuchPost, TreeChanged, TreeError, UsageError
from mau.fingerprint import Fingerprint
from mau.publish import Published, publish_document, writable
from mau.reader.open import open_post
from mau.tree.names import PRIVATE_NAMES, check_post_name, fold, post_name, random_name

if TYPE_CHECKING:
    from mau.account import Account
    from mau.keyring import Keyring

_ATTEMPTS: Final = 20


@dataclass(frozen=True, slots=True)
class DeletedPost:
    """``sha256``: what was current and is a version now; None when the post was gone already.

    ``published``: the DeleteActions, each with its own audience; none when it was deleted here only, or had
    been given out to nobody. ``left_out``: who could read some of it and cannot be written to any more.
    """

    name: str
    sha256: str | None
    published: tuple[Published, ...]
    left_out: frozenset[Fingerprint]


@dataclass(frozen=True, slots=True)
class Restored:
    """``published``: the post, signed anew; None when what is there was signed later than its deletes.

    ``withdrawn``: the names of the DeleteActions that are gone. ``left_out``: who cannot be written to any
    more. ``problem``: why nothing was done.
    """

    name: str
    published: Published | None = None
    withdrawn: tuple[str, ...] = ()
    left_out: frozenset[Fingerprint] = frozenset()
    problem: MauError | None = None


# --- deleting ----------------------------------------------------------------------------------------------


def delete_post(account: Account, keyring: Keyring, name: str, *, publish: bool = True) -> DeletedPost:
    """Take an own post out of sight (it becomes a version) and tell those who could read it.

    With `publish` False nobody is told. A post that was removed by hand can be deleted while a version of it
    is held. NoSuchPost, InvalidName; UsageError for a DeleteAction.
    """
    _deletable(name)
    posts = account.posts()
    published: tuple[Published, ...] = ()
    left_out: frozenset[Fingerprint] = frozenset()
    for _ in range(_ATTEMPTS):
        current = posts.sha256(name) if posts.entry(name) is not None else None
        contents = contents_of(account, keyring, name)
        if publish:
            published, left_out = publish_deletes(account, keyring, name, contents)
        if current is None:
            return DeletedPost(name, None, published, left_out)
        try:
            return DeletedPost(name, posts.retire(name, expect=current), published, left_out)
        except NoSuchPost:  # somebody removed it meanwhile
            return DeletedPost(name, None, published, left_out)
        except TreeChanged:  # somebody wrote it meanwhile: that is deleted, too
            continue
    raise TreeChanged(f"another program keeps changing {name!r}; try again")


def contents_of(account: Account, keyring: Keyring, name: str) -> dict[str, Content]:
    """Every content that an own post has, or had, and that was given out, by sha256.

    Also what was removed by hand, while its shadow is there. NoSuchPost when nothing of it is held.
    """
    posts = account.posts()
    found: dict[str, Content | None] = {}
    if posts.entry(name) is not None:
        sha256 = posts.sha256(name)
        found[sha256] = content_of(account, keyring, name, None)
        current = found[sha256]
        if current is not None and current.is_delete:
            raise UsageError(f"{name!r} deletes another post; `mau undelete` takes that back")
    for version in posts.versions(name):
        if version.sha256 not in found:
            found[version.sha256] = content_of(account, keyring, name, version.sha256)
    shadow = posts.shadow(name)
    if shadow is not None and shadow[1] not in found:
        found[shadow[1]] = content_of(account, keyring, name, None, shadow[0])
    if not found:
        raise NoSuchPost(f"there is no {name!r}, and no older version of it")
    return {
        sha256: content for sha256, content in found.items() if content is not None and not content.is_delete
    }


def publish_deletes(
    account: Account, keyring: Keyring, name: str, contents: Mapping[str, Content]
) -> tuple[tuple[Published, ...], frozenset[Fingerprint]]:
    """Publish that these contents of an own post are deleted: to each of its audiences what was for it.

    Who could read one content learns nothing of another. Also returns who cannot be written to any more.
    """
    sums: dict[Audience, set[str]] = defaultdict(set)
    left_out: frozenset[Fingerprint] = frozenset()
    latest = 0
    now = datetime.now(UTC)
    for sha256, content in contents.items():
        audience = writable(keyring, content.audience)
        sums[audience].add(sha256)
        if not isinstance(content.audience, Public) and not isinstance(audience, Public):
            left_out |= content.audience - audience
        # A time further ahead is somebody's mistake, and nothing to count on from: what is signed after it
        # would hold nowhere, not even here.
        if content.signed_at < int(now.timestamp()) + MAX_AHEAD:
            latest = max(latest, content.signed_at)
    published = []
    with HeldDeletes(account, keyring) as held:
        before = held.of(account.fingerprint)
        for audience, named in sums.items():
            for own_name, part in _parts(before.of(name), audience, named, latest, now):
                document = compose_delete(account.fingerprint, name, part, now)
                done = publish_document(account, keyring, document, own_name, audience, after=latest)
                published.append(done)
                # Whoever posts under the name this very second signs after it.
                said = open_post(account, keyring, account.fingerprint, own_name)
                if (delete := delete_of(said)) is not None:
                    held.note(delete)
    return tuple(published), left_out


def _parts(
    before: Collection[Delete], audience: Audience, named: set[str], latest: int, now: datetime
) -> Iterator[tuple[str, set[str]]]:
    """The DeleteActions to be written for one audience: the name of each, and the contents that it names."""
    for one in before:
        if one.audience != audience:
            continue
        if named <= one.sha256s and latest <= one.signed_at:
            return  # that is said already
        if len(named | one.sha256s) <= MAX_NAMED:
            yield one.name, named | one.sha256s
            return
    sums = sorted(named)
    for start in range(0, len(sums), MAX_NAMED):
        # It says nothing of what it deletes, nor that it deletes: names are plain text to relays.
        yield post_name(random_name(now, ".json")), set(sums[start : start + MAX_NAMED])


def _deletable(name: str) -> None:
    if fold(check_post_name(name)) in map(fold, PRIVATE_NAMES):
        raise InvalidName(f"{name!r} is a file that Mau keeps for you alone; it is not deleted")


# --- taking it back ----------------------------------------------------------------------------------------


def undelete(account: Account, keyring: Keyring, name: str, version: str | None = None) -> Restored:
    """Bring a deleted own post back: the content signed last, or one `version` (sha256), signed anew.

    Its DeleteActions are withdrawn. NoSuchPost; UsageError when the post is there; PostError when the content
    does not hold.
    """
    _deletable(name)
    posts = account.posts()
    with HeldDeletes(account, keyring) as held:
        deletes = held.of(account.fingerprint)
    if posts.entry(name) is not None and version is None:
        if not _is_deleted(account, keyring, deletes, name):
            raise UsageError(f"{name!r} is there; `mau versions` lists what it was before")
    else:
        version = version or _latest(account, keyring, name)
    done = resign(account, keyring, name, version, after=deletes.until(name))
    return Restored(name, done.published, _withdraw(account, deletes.of(name)), done.left_out)


def withdraw(account: Account, keyring: Keyring, names: Iterable[str]) -> list[Restored]:
    """Take back the deletes of own posts that are there again, from a backup for example.

    What was signed before its delete is signed anew: only that ends the delete for everybody. Names without
    a DeleteAction are passed over; one that fails stops no other.
    """
    with HeldDeletes(account, keyring) as held:
        deletes = held.of(account.fingerprint)
    return [_taken_back(account, keyring, deletes, name) for name in dict.fromkeys(names) if deletes.of(name)]


def _taken_back(account: Account, keyring: Keyring, deletes: Deletes, name: str) -> Restored:
    try:
        if not _is_deleted(account, keyring, deletes, name) and content_of(account, keyring, name, None):
            return Restored(name, None, _withdraw(account, deletes.of(name)))
        done = resign(account, keyring, name, after=deletes.until(name))
    except MauError as error:
        return Restored(name, problem=error)
    return Restored(name, done.published, _withdraw(account, deletes.of(name)), done.left_out)


def _withdraw(account: Account, deletes: Iterable[Delete]) -> tuple[str, ...]:
    posts = account.posts()
    names = []
    for one in deletes:
        if posts.entry(one.name) is not None:
            posts.remove(one.name)
            names.append(one.name)
    return tuple(sorted(names))


def _latest(account: Account, keyring: Keyring, name: str) -> str:
    """The version that was signed last; of several, the one that was written last."""
    best: tuple[int, int, str] | None = None
    for place, version in enumerate(account.posts().versions(name)):
        content = content_of(account, keyring, name, version.sha256)
        if content is not None and not content.is_delete:
            found = (content.signed_at, place, version.sha256)
            best = found if best is None else max(best, found)
    if best is None:
        raise NoSuchPost(f"there is no older version of {name!r} that holds")
    return best[2]


# --- what was done by hand ---------------------------------------------------------------------------------


def reappeared(account: Account, keyring: Keyring, deletes: Deletes) -> list[str]:
    """Own posts that are there although they were deleted: not given out until `withdraw` or `undelete`.

    `deletes`: the own ones. Posts that were posted anew since are none of these.
    """
    posts = account.posts()
    names = sorted(name for name in deletes.targets if posts.entry(name) is not None)
    return [name for name in names if _is_deleted(account, keyring, deletes, name)]


def removed_by_hand(account: Account, deletes: Deletes) -> list[str]:
    """Own posts that are gone and of which nobody was told. `deletes`: the own ones.

    What left no version is known by its shadow, until the next start-up (spec/tree.md H5).
    """
    posts = account.posts()
    names = set(posts.departed())
    if lost := posts.lost():
        sizes = {size for size, _ in lost.values()}
        there = set()
        for entry in posts.entries():
            if entry.size in sizes:
                with contextlib.suppress(TreeError):  # that goes just now
                    there.add(posts.sha256(entry.name))
        names |= {name for name, (_, sha256) in lost.items() if sha256 not in there}  # else it was renamed
    return sorted(name for name in names if not deletes.of(name))


def _is_deleted(account: Account, keyring: Keyring, deletes: Deletes, name: str) -> bool:
    """Whether what is current under an own name is deleted; NoSuchPost. What does not hold is not."""
    if deletes.is_deleted(name, account.posts().sha256(name)):
        return True
    content = content_of(account, keyring, name, None)
    return content is not None and content.signed_at <= deletes.until(name)
