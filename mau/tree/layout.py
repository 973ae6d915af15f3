"""Where everything lies: the one module that knows the layout of the tree (spec/tree.md L1-L9)."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mau.errors import InvalidFingerprint, NoAccount, NotAFile, UsageError
from mau.fingerprint import Fingerprint
from mau.tree import safe
from mau.tree.names import KEYS_DIR, KNOWN_GROUP, POST_SUFFIX, check_group

STATE_DIRS: Final = frozenset(
    {"account", "index", "peers", "server", "syncer", "finder", "reader", "shadow", "daemon"}
)
_ACCOUNT: Final = "account.pgp"
_DEEPEST_GROUP: Final = 32


def parse_author(name: str) -> tuple[Fingerprint, bool] | None:
    """What the name of an entry of the root says: (fpr, hidden) for ``FPR`` and ``.FPR``, else None."""
    try:
        return Fingerprint.parse(name.removeprefix(".")), name.startswith(".")
    except InvalidFingerprint:
        return None


@dataclass(frozen=True, slots=True)
class Root:
    """One tree: a directory that a person chose. Its own path may hold links, nothing below it may."""

    path: Path

    @classmethod
    def find(
        cls,
        directory: Path | None = None,
        environ: Mapping[str, str] = os.environ,
        cwd: Path | None = None,
        fallback: Path | None = None,
    ) -> Root:
        """The tree: `directory`, else MAU_DIR, `cwd` if it holds ``.mau``, `fallback`, ``~/Mau`` (L1)."""
        if directory is not None:
            return cls(directory.expanduser().absolute())
        if environ.get("MAU_DIR"):
            return cls(Path(environ["MAU_DIR"]).expanduser().absolute())
        here = cwd or Path.cwd()
        if (here / KEYS_DIR).is_dir():
            return cls(here)
        if fallback is not None:
            return cls(fallback)
        home = environ.get("HOME")
        return cls((Path(home) if home else Path.home()) / "Mau")

    # --- places --------------------------------------------------------------------------------------------

    @property
    def mau(self) -> Path:
        """The directory of the account and the keys; holds nothing but those (L5)."""
        return self.path / KEYS_DIR

    @property
    def account_file(self) -> Path:
        """The secret key, encrypted with the passphrase."""
        return self.path / KEYS_DIR / _ACCOUNT

    @property
    def remembered_file(self) -> Path:
        """Says that the system's keyring has the passphrase; state like that of the workers (L6)."""
        return self.path / ".account" / "remembered"

    @property
    def certificate_file(self) -> Path:
        """The account's public key, for programs that run and for who has no passphrase (L6)."""
        return self.path / ".account" / "certificate.pgp"

    def revocation_file(self, fpr: Fingerprint) -> Path:
        """Where the revocation certificate is put first: neither in ``.mau`` (L5) nor where posts are."""
        return self.path / f"revocation-{fpr.hex}.asc"

    def author_dir(self, fpr: Fingerprint) -> Path:
        """Posts of somebody I follow, or my own."""
        return self.path / fpr.hex

    def hidden_dir(self, fpr: Fingerprint) -> Path:
        """Posts that are held, but not synced and not shown."""
        return self.path / f".{fpr.hex}"

    def state_dir(self, worker: str) -> Path:
        """A directory (0700, made when missing) for what `worker` can derive again: ``ROOT/.syncer`` (L6)."""
        if worker not in STATE_DIRS:
            raise ValueError(f"{worker!r} is no directory of the layout: add it there first")
        with safe.closing(self.open()) as root, safe.closing(safe.make_dir(f".{worker}", at=root)):
            return self.path / f".{worker}"

    def key_file(self, fpr: Fingerprint, group: str = "") -> Path:
        """A key file: of a friend, of a member of `group` (``a/b`` nests), of somebody ``known`` only."""
        if group and group != KNOWN_GROUP:
            group = check_group(group)
        return self.mau.joinpath(*group.split("/") if group else (), fpr.hex + POST_SUFFIX)

    def open(self) -> int:
        """A descriptor of the root; NoAccount when there is no such directory."""
        try:
            return os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise NoAccount(f"there is no directory {str(self.path)!r}; `mau init` makes one") from error
        except NotADirectoryError as error:
            raise NotAFile(f"{str(self.path)!r} is no directory") from error

    def ensure(self) -> None:
        """Make the root and ``.mau`` (0700) where they are missing."""
        if not self.path.is_dir():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with safe.closing(
                os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            ) as parent:
                os.close(safe.make_dir(self.path.name, at=parent))
        with safe.closing(self.open()) as root:
            os.close(safe.make_dir(KEYS_DIR, at=root))

    # --- what is there -------------------------------------------------------------------------------------

    def key_files(self) -> Iterator[tuple[str, Fingerprint, Path]]:
        """Every key file as (group, fpr, path), sorted; group is "" for friends, ``known`` for known keys.

        What is no key file is passed over, links among it (L5).
        """
        for group, fprs in self._walk_keys():
            for fpr in fprs:
                yield group, fpr, self.key_file(fpr, group)

    def groups(self) -> list[str]:
        """Every group, ``a/b`` for a nested one; empty ones too."""
        return [group for group, _ in self._walk_keys() if group not in ("", KNOWN_GROUP)]

    def authors(self) -> list[tuple[Fingerprint, bool]]:
        """Every directory of posts as (fpr, hidden), sorted."""
        found = []
        with contextlib.suppress(FileNotFoundError), os.scandir(self.path) as entries:
            for entry in entries:
                author = parse_author(entry.name)
                if author and entry.is_dir(follow_symlinks=False):
                    found.append(author)
        return sorted(found)

    def follows(self, own: Fingerprint | None) -> list[Fingerprint]:
        """Whom I follow: everybody with a directory that is not hidden, except me."""
        return [fpr for fpr, hidden in self.authors() if not hidden and fpr != own]

    def _walk_keys(self) -> Iterator[tuple[str, list[Fingerprint]]]:
        try:
            with safe.closing(self.open()) as root:
                mau = safe.open_dir(KEYS_DIR, at=root)
        except (FileNotFoundError, NoAccount):
            return
        with safe.closing(mau):
            yield from _walk(mau, "", 0)

    # --- following -----------------------------------------------------------------------------------------

    def follow(self, fpr: Fingerprint) -> None:
        """Make FPR a directory that is synced and shown, with whatever was hidden of it (F1)."""
        from mau.tree.merge import show

        show(self, fpr)

    def hold_hidden(self, fpr: Fingerprint) -> None:
        """Make ``.FPR`` (0700) where it is missing, for single posts of somebody who is not followed (F5)."""
        with safe.closing(self.open()) as root:
            os.close(safe.make_dir(f".{fpr.hex}", at=root))

    def drop_hidden(self, fpr: Fingerprint) -> None:
        """Remove ``.FPR`` when nothing lies in it."""
        with safe.closing(self.open()) as root, contextlib.suppress(OSError):
            os.rmdir(f".{fpr.hex}", dir_fd=root)

    def unfollow(self, fpr: Fingerprint) -> None:
        """Keep what is held of FPR, hidden (F2); nothing happens when FPR was not followed."""
        from mau.tree.merge import hide

        hide(self, fpr)


def _walk(directory: int, group: str, depth: int) -> Iterator[tuple[str, list[Fingerprint]]]:
    keys: list[Fingerprint] = []
    below: list[str] = []
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                below.append(entry.name)
            elif entry.name.endswith(POST_SUFFIX) and entry.is_file(follow_symlinks=False):
                with contextlib.suppress(InvalidFingerprint):
                    keys.append(Fingerprint.parse(entry.name.removesuffix(POST_SUFFIX)))
    yield group, sorted(keys)
    for name in sorted(below):
        inner = f"{group}/{name}" if group else name
        if depth >= _DEEPEST_GROUP or group == KNOWN_GROUP or not _is_group(inner):
            continue
        with (
            contextlib.suppress(FileNotFoundError, NotAFile),
            safe.closing(safe.open_dir(name, at=directory)) as fd,
        ):
            yield from _walk(fd, inner, depth + 1)


def _is_group(name: str) -> bool:
    if name == KNOWN_GROUP:
        return True
    try:
        return check_group(name) == name
    except UsageError:
        return False
