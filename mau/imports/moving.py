"""An archive of one's own becomes one's posts (spec/imports.md IM63-IM75)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from mau.content.address import post_iri
from mau.content.binding import PUBLIC, Audience
from mau.errors import ArchiveDamaged, MauError
from mau.imports.archive import ACTOR, OUTBOX, Archive
from mau.imports.found import Finding, Found, FoundFile
from mau.imports.mastodon import read_archive
from mau.imports.storing import Report, Store

if TYPE_CHECKING:
    from mau.attachments import Attachment

Names = Mapping[str, str]
"""The names of posts, by the archive's own names for them."""
_SCOPE: Final = "activitystreams"
_AT_ONCE: Final = 200
"""Posts whose files are taken out of an archive together."""
_BYTES_AT_ONCE: Final = 256 << 20
"""Of their files; of one post alone it may be more (`archive.MAX_TOGETHER`)."""


def open_archive(path: Path, *, boosts: bool = False) -> tuple[Archive, Finding]:
    """An archive and what it holds. NoSuchPost, ArchiveDamaged."""
    archive = Archive(path)
    outbox = archive.json(OUTBOX)
    if outbox is None:
        raise ArchiveDamaged(f"{str(path)!r} is no archive of Mastodon: there is no {OUTBOX} in it")
    return archive, read_archive(outbox, archive.json(ACTOR), boosts=boosts)


def move(
    store: Store,
    archive: Archive,
    finding: Finding,
    audience: Audience,
    told: Callable[[int, int], None] | None = None,
) -> Report:
    """Make posts for ``audience`` of what the archive holds, oldest first; none is wider than it was there.

    What is there already is left as it is, so that a run that was cut off is gone on with, and one that was
    not changes nothing. ``told(done, of)`` after each portion.
    """
    report = Report(left_out=finding.left_out.copy())
    names = {one.id: store.name(_SCOPE, one.id, one.published) for one in finding.items}
    waiting = [found for found in finding.items if _wanted(store, names, found, audience, report)]
    done = 0
    sizes = {} if store.dry else archive.sizes({file.place for found in waiting for file in found.files})
    for portion in _portions(waiting, sizes):
        places = {file.place for found in portion for file in found.files}
        with archive.files(places if not store.dry else set()) as files:
            for found in portion:
                _put(store, names, found, audience, files, report)
        if told is not None:
            done += len(portion)
            told(done, len(waiting))
    return report


def _portions(waiting: Sequence[Found], sizes: Mapping[str, int]) -> Iterator[list[Found]]:
    """The posts in their order, as many together as may lie unpacked at one time."""
    portion: list[Found] = []
    held = 0
    for found in waiting:
        size = sum(sizes.get(file.place, 0) for file in found.files)
        if portion and (len(portion) >= _AT_ONCE or held + size > _BYTES_AT_ONCE):
            yield portion
            portion, held = [], 0
        portion.append(found)
        held += size
    if portion:
        yield portion


def _wanted(store: Store, names: Names, found: Found, audience: Audience, report: Report) -> bool:
    """Whether it is to be published; else it is counted why not."""
    name = names[found.id]
    if store.account.posts().entry(name) is not None:
        report.note("same", name)
        return False
    if store.deleted(name):
        report.note("deleted", name)
        return False
    if found.reach == "followers" and audience is PUBLIC:
        report.left_out["for followers only there, and --public is wider"] += 1
        return False
    if found.reach == "direct" and audience != frozenset({store.account.fingerprint}):
        report.left_out["for single people there (--me takes these, too)"] += 1
        return False
    return True


def _put(
    store: Store, names: Names, found: Found, audience: Audience, files: Mapping[str, Path], report: Report
) -> None:
    from mau.attachments import attached

    document = dict(found.document)
    document["agent" if document["@type"] == "ShareAction" else "author"] = store.author
    parent = _parent(store, names, found)
    if parent is not None:
        document["parentItem"] = parent
    name = names[found.id]
    if store.dry:
        report.note("new", name)
        return
    for chosen in _choices(found.files, files, report):
        try:
            with attached(store.account, store.keyring, chosen, audience) as media:
                whole = {**document, "associatedMedia": media} if media else document
                report.note(store.put(name, whole, audience), name)
            return
        except MauError:
            if not chosen:
                raise
            report.left_out["pictures or files that could not be attached"] += len(chosen)


def _choices(
    wanted: Sequence[FoundFile], files: Mapping[str, Path], report: Report
) -> list[list[Attachment]]:
    """The attachments to try, then none: a post is worth more than its pictures."""
    from mau.attachments import Attachment

    there = [one for one in wanted if one.place in files]
    if len(there) < len(wanted):
        report.left_out["files that are not in the archive, or too large"] += len(wanted) - len(there)
    chosen = [Attachment(files[one.place], alt=one.alt, name=PurePosixPath(one.place).name) for one in there]
    return [chosen, []] if chosen else [[]]


def _parent(store: Store, names: Names, found: Found) -> dict[str, Any] | None:
    """Where an answer to oneself points: at the post that became of what it answers."""
    if not found.answers:
        return None
    posts = store.account.posts()
    name = names.get(found.answers)
    if name is None or posts.entry(name) is None:
        return None
    return {"@id": post_iri(store.account.fingerprint, name), "sha256": posts.sha256(name)}
