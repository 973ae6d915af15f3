"""What a request is for, once its path is read (`mau.wire.paths`): values. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from mau.fingerprint import Fingerprint


@dataclass(frozen=True, slots=True)
class PageQuery:
    """Which part of a listing (spec/http.yaml H60): at most ``limit`` items after the position ``cursor``.

    ``limit`` None: up to the end. ``cursor`` None: from the beginning, or with ``newest`` the last ones.
    ``most``: files of more bytes are left out where the files themselves are sent.
    """

    limit: int | None = None
    cursor: str | None = None
    newest: bool = False
    most: int | None = None


WHOLE = PageQuery()


@dataclass(frozen=True, slots=True)
class ListTarget:
    """The listing of one author, or a part of it."""

    author: Fingerprint
    page: PageQuery = WHOLE


@dataclass(frozen=True, slots=True)
class FileTarget:
    """The current content of a file; ``name`` ends in ``.pgp`` and fits the rules of spec/tree.md."""

    author: Fingerprint
    name: str


@dataclass(frozen=True, slots=True)
class VersionTarget:
    """The content of a file with that SHA-256 (64 lower-case hex digits)."""

    author: Fingerprint
    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class KeyTarget:
    """The public key of somebody."""

    owner: Fingerprint


@dataclass(frozen=True, slots=True)
class PingTarget:
    """Whether a peer is there."""


@dataclass(frozen=True, slots=True)
class PeersTarget:
    """The peers nearest to somebody."""

    wanted: Fingerprint


@dataclass(frozen=True, slots=True)
class DialBackTarget:
    """Whether the one who asks is reached at that port of the address that he asks from."""

    port: int


@dataclass(frozen=True, slots=True)
class RegisterTarget:
    """To be called through this circuit relay."""


@dataclass(frozen=True, slots=True)
class CallTarget:
    """A connection to somebody who registered."""

    callee: Fingerprint


@dataclass(frozen=True, slots=True)
class AnswerTarget:
    """The other end of a connection that was asked for."""

    token: str


@dataclass(frozen=True, slots=True)
class InviteTarget:
    """The guest's key, to be left there (PUT) by who was given the token."""

    token: str


KadTarget = PingTarget | PeersTarget | DialBackTarget
CircuitTarget = RegisterTarget | CallTarget | AnswerTarget
Target = ListTarget | FileTarget | VersionTarget | KeyTarget | KadTarget | CircuitTarget | InviteTarget
