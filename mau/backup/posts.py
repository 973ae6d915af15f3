"""Posts and their versions, from an archive into the tree: judged one by one, written many at once."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from mau.account import Account
from mau.backup.archive import Archive, Member
from mau.backup.judging import IN_MEMORY, Content, Decision, Judge, decide, held_sum
from mau.backup.keys import Keys
from mau.backup.report import Restored, require_of_one, words_of
from mau.deletion.held import HeldDeletes
from mau.deletion.rules import NO_DELETES, Deletes
from mau.errors import ArchiveDamaged, MauError, NameClash
from mau.fingerprint import Fingerprint
from mau.tree import safe
from mau.tree.filing import file_version
from mau.tree.layout import Root
from mau.tree.names import fold
from mau.tree.posts import AuthorDir, Staged

_BATCH: Final = 64


class _Shelf:
    """The directory of one author in the tree, as it is found when the first of his posts comes."""

    def __init__(self, account: Account, author: Fingerprint, hidden: bool) -> None:
        root = account.root
        self.author = author
        shown = AuthorDir(root, author, own=author == account.fingerprint)
        secret = AuthorDir(root, author, hidden=True)
        there = [one for one in (shown, secret) if one.path.is_dir()]
        if author == account.fingerprint:
            there = [shown]
        self.exists = bool(there)
        self.directories = there or [secret if hidden else shown]
        self.folded: dict[str, str] = {}
        for directory in reversed(self.directories):
            self.folded.update((fold(name), name) for name in directory.names())
        self._versions: dict[str, set[str]] = {}

    def of(self, name: str) -> AuthorDir:
        """Where a post of that name lies, or belongs."""
        for directory in self.directories[1:]:
            if self.directories[0].entry(name) is None and directory.entry(name) is not None:
                return directory
        return self.directories[0]

    def check_clash(self, name: str) -> None:
        """NameClash when another name is held that differs by case or normal form only."""
        other = self.folded.setdefault(fold(name), name)
        if other != name:
            raise NameClash(f"it differs from {other!r} by case or normal form only")

    def versions(self, directory: AuthorDir, name: str) -> set[str]:
        """The versions that are held of a post; to be added to."""
        if name not in self._versions:
            self._versions[name] = {version.sha256 for version in directory.versions(name)}
        return self._versions[name]


class Posts:
    """Brings posts and versions back."""

    def __init__(
        self,
        account: Account,
        keys: Keys,
        archive: Archive,
        restored: Restored,
        *,
        ours: bool,
        dry_run: bool,
    ) -> None:
        """`ours`: as `Judge` takes it."""
        self._account = account
        self._archive = archive
        self._restored = restored
        self._dry_run = dry_run
        self._ours = ours
        self._judge = Judge(account, keys, self._deletes_of, ours=ours)
        self._keyring = keys.keyring
        self._deletes: dict[Fingerprint, Deletes] = {}
        self._shelves: dict[Fingerprint, _Shelf] = {}

    def run(self, step: Callable[[], None]) -> Iterator[Member]:
        """All of them; yields each own post that came back or took the place of an older content."""
        for _, members in _by_author(self._archive.posts):
            for start in range(0, len(members), _BATCH):
                yield from self._some(members[start : start + _BATCH], step)
        for member in self._archive.versions:
            self._version(member)
            step()

    # --- posts ---------------------------------------------------------------------------------------------

    def _some(self, members: list[Member], step: Callable[[], None]) -> Iterator[Member]:
        """Posts of one author: judge each, stage what is to be taken, commit it together."""
        batch: list[tuple[Member, AuthorDir, Staged, str | None]] = []
        with contextlib.ExitStack() as stack:
            for member in members:
                try:
                    taken = self._post(member, stack)
                except (MauError, OSError) as error:
                    self._refuse(member, error)
                else:
                    batch += [taken] if taken else []
                step()
            done = []
            for directory in {taken[1].path: taken[1] for taken in batch}.values():
                here = [taken for taken in batch if taken[1].path == directory.path]
                results = directory.commit_many([(staged, m.place.name, held) for m, _, staged, held in here])
                for (member, _, _, held), result in zip(here, results, strict=True):
                    if isinstance(result, MauError | OSError):
                        self._refuse(member, result)
                        continue
                    if held is not None:
                        self._shelf(member).versions(directory, member.place.name).add(held)
                    self._restored.add(member.path, "back" if held is None else "newer")
                    done.append(member)
        yield from (one for one in done if one.place.author == self._account.fingerprint)

    def _post(
        self, member: Member, stack: contextlib.ExitStack
    ) -> tuple[Member, AuthorDir, Staged, str | None] | None:
        """What is to be committed; None when that is settled already."""
        name = member.place.name
        shelf = self._shelf(member)
        directory = shelf.of(name)
        held = held_sum(directory, name)
        content = self._content(member)
        if held == content.sha256:
            self._restored.add(member.path, "same")
            return None
        if held is not None and content.sha256 in shelf.versions(directory, name):
            self._restored.add(member.path, "same", "it is a version already")
            return None
        if self._dry_run and not isinstance(content.source, bytes) and not self._account.root.path.is_dir():
            self._restored.add(member.path, "back", "not looked into: there is no place to unpack it yet")
            return None
        signed_at = self._judge.signed_at(shelf.author, name, content)
        shelf.check_clash(name)
        what: Decision = decide(content, signed_at, held, lambda: self._judge.held_since(directory, name))
        if what == "older":
            self._file(directory, member, content)
            shelf.versions(directory, name).add(content.sha256)
            self._restored.add(member.path, "version", "what is held was signed later")
            return None
        if self._dry_run:
            self._restored.add(member.path, "back" if held is None else "newer")
            return None
        self._make(shelf, member)
        staged = stack.enter_context(directory.stage())
        self._fill(staged, member, content)
        return member, directory, staged, held

    # --- versions ------------------------------------------------------------------------------------------

    def _version(self, member: Member) -> None:
        place = member.place
        try:
            shelf = self._shelf(member)
            directory = shelf.of(place.name)
            if place.sha256 in shelf.versions(directory, place.name) or (
                held_sum(directory, place.name) == place.sha256
            ):
                self._restored.add(member.path, "same")
                return
            content = self._content(member)
            if content.sha256 != place.sha256:
                what = f"its bytes are not what it is called by: their sha256 is {content.sha256}"
                self._restored.add(member.path, "refused", what)
                return
            self._judge.signed_at(shelf.author, place.name, content)
            shelf.check_clash(place.name)
            self._make(shelf, member)
            self._file(directory, member, content)
            shelf.versions(directory, place.name).add(content.sha256)
        except (MauError, OSError) as error:
            self._refuse(member, error)
        else:
            self._restored.add(member.path, "back")

    def _file(self, directory: AuthorDir, member: Member, content: Content) -> None:
        if self._dry_run:
            return
        with directory.stage() as staged:
            self._fill(staged, member, content)
            file_version(staged, member.place.name, min(member.mtime_ns, time.time_ns()))

    # --- inside --------------------------------------------------------------------------------------------

    def _shelf(self, member: Member) -> _Shelf:
        author = member.place.author
        assert author is not None  # noqa: S101 - every post has one
        if author not in self._shelves:
            self._shelves[author] = shelf = _Shelf(self._account, author, self._hidden(member))
            if shelf.exists and not self._dry_run:
                for directory in shelf.directories:
                    directory.recover()
        return self._shelves[author]

    def _deletes_of(self, author: Fingerprint) -> Deletes:
        """What is held of what the author deleted, as of the first question about him."""
        if author not in self._deletes:
            self._deletes[author] = NO_DELETES
            if self._account.root.path.is_dir():
                with HeldDeletes(self._account, self._keyring) as held:
                    self._deletes[author] = held.of(author)
        return self._deletes[author]

    def _make(self, shelf: _Shelf, member: Member) -> None:
        """The author's directory, once something of his has proved to hold."""
        if shelf.exists or self._dry_run:
            return
        make_directory(self._account.root, shelf.author, hidden=self._hidden(member))
        shelf.exists = True

    def _hidden(self, member: Member) -> bool:
        """Where posts of somebody belong of whom there is nothing yet: only the owner follows people."""
        return member.place.hidden or not (self._ours or member.place.author == self._account.fingerprint)

    def _content(self, member: Member) -> Content:
        if member.size <= IN_MEMORY:
            data = self._archive.read(member)
            return Content(hashlib.sha256(data).hexdigest(), len(data), data)
        section = self._archive.section(member)
        digest = hashlib.sha256()
        while chunk := section.read(safe.CHUNK):
            digest.update(chunk)
        return Content(digest.hexdigest(), member.size, section)

    def _fill(self, staged: Staged, member: Member, content: Content) -> None:
        if isinstance(content.source, bytes):
            staged.file.write(content.source)
        else:
            content.source.seek(0)
            shutil.copyfileobj(content.source, staged.file, safe.CHUNK)
            if staged.digest().sha256 != content.sha256:
                raise ArchiveDamaged("the archive was changed while it was read")

    def _refuse(self, member: Member, error: MauError | OSError) -> None:
        require_of_one(error)
        self._restored.add(member.path, "refused", words_of(error))


def _by_author(members: Iterable[Member]) -> Iterator[tuple[Fingerprint, list[Member]]]:
    found: dict[Fingerprint, list[Member]] = {}
    for member in members:
        if member.place.author is not None:
            found.setdefault(member.place.author, []).append(member)
    yield from found.items()


def make_directory(root: Root, author: Fingerprint, *, hidden: bool) -> None:
    """A directory for posts of somebody."""
    if not hidden:
        root.follow(author)
        return
    with safe.closing(root.open()) as top:
        os.close(safe.make_dir(root.hidden_dir(author).name, at=top))
