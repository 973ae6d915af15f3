"""What was found becomes own posts: once, however often it is found (spec/imports.md IM40-IM49)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from mau.content.address import person_iri
from mau.conversation.naming import letters_of
from mau.errors import MauError
from mau.imports.names import Names
from mau.publish import publish_document
from mau.reader.open import open_post

if TYPE_CHECKING:
    from datetime import datetime

    from mau.account import Account
    from mau.content.binding import Audience
    from mau.keyring import Keyring

Outcome = Literal["new", "changed", "same", "deleted"]
"""`deleted`: its owner deleted it here, so it does not come back."""

_OUR_WORDS: Final = frozenset({"@context", "@id", "audience"})


@dataclass(slots=True)
class Report:
    """What became of what was found: names of new and changed posts, how many were there, what was not taken.

    `left_out`: how many, by the reason in words.
    """

    new: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    same: int = 0
    left_out: Counter[str] = field(default_factory=Counter)

    def note(self, outcome: Outcome, name: str) -> None:
        """Count one."""
        if outcome == "new":
            self.new.append(name)
        elif outcome == "changed":
            self.changed.append(name)
        elif outcome == "same":
            self.same += 1
        else:
            self.left_out["you deleted it here"] += 1

    def add(self, other: Report) -> None:
        """Count what another one counted."""
        self.new += other.new
        self.changed += other.changed
        self.same += other.same
        self.left_out += other.left_out


class Store:
    """The own posts as the place of what is imported. ``dry``: say what would become of it, write nothing."""

    def __init__(self, account: Account, keyring: Keyring, *, dry: bool = False) -> None:
        from mau.deletion.held import HeldDeletes

        self.account = account
        self.keyring = keyring
        self.names = Names(account)
        self.dry = dry
        with HeldDeletes(account, keyring) as held:
            self._deletes = held.of(account.fingerprint)
        known = [*self._deletes.targets, *account.posts().names()]
        self._by_letters = {letters: name for name in known if (letters := letters_of(name))}

    def name(self, scope: str, own: str, published: datetime | None) -> str:
        """What the thing that a source calls ``own`` is called here: as it was, else after its day.

        Sources give things another day now and then, when they change them.
        """
        letters = self.names.letters(scope, own)
        return self._by_letters.setdefault(letters, self.names.name(scope, own, published))

    def held(self, name: str) -> dict[str, Any] | None:
        """The document of an own post, {} when it is none; None when there is no such post."""
        posts = self.account.posts()
        if posts.entry(name) is None:
            return None
        try:
            return open_post(self.account, self.keyring, self.account.fingerprint, name).document or {}
        except MauError:
            return {}

    def deleted(self, name: str) -> bool:
        """Whether its owner deleted the post of that name."""
        return bool(self._deletes.of(name))

    def put(
        self, name: str, document: Mapping[str, Any], audience: Audience, *, again: bool = False
    ) -> Outcome:
        """Publish a document unless it is there already, or was deleted; ``again``: that is no reason."""
        held = self.held(name)
        if held is None and not again and self.deleted(name):
            return "deleted"
        if held is not None and _bare(held) == _bare(document):
            return "same"
        if not self.dry:
            publish_document(self.account, self.keyring, document, name, audience)
        return "new" if held is None else "changed"

    @property
    def author(self) -> dict[str, str]:
        """Who writes, as documents say it."""
        return {"@id": person_iri(self.account.fingerprint)}


def _bare(document: Mapping[str, Any]) -> dict[str, Any]:
    """What a document says beside where it lies and for whom it is."""
    return {key: value for key, value in document.items() if key not in _OUR_WORDS}
