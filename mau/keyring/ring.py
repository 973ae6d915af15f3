"""Friends, groups and known keys of one account (spec/keyring.md)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from mau.errors import KeyringUntrusted, MauError, NoAudience, UnknownWho, UsageError
from mau.fingerprint import Fingerprint
from mau.keyring import changing
from mau.keyring.change import Change
from mau.keyring.differences import Difference
from mau.keyring.names import ME, name_key, suggest
from mau.keyring.owners import Owners
from mau.keyring.person import News, Person, describe_changes
from mau.keyring.resolve import full_fingerprint, resolve
from mau.keyring.snapshot import Snapshot
from mau.keyring.statement import KNOWN
from mau.keyring.store import Store
from mau.tree.names import fold

if TYPE_CHECKING:
    from mau.account import Account
    from mau.openpgp import Certificate


class Keyring:
    """Who is who to the owner of an account, as of the moment of `load`, `refresh` or the last change.

    Every change is made on what is on the disk at that moment, under a lock: several programs lose nothing.
    """

    def __init__(self, account: Account, *, suspect: bool = False) -> None:
        self._account = account
        self._store = Store(account)
        self._suspect = suspect
        self._snapshot = Snapshot(self._store, account.key)
        self._owners: tuple[Snapshot, Person, Owners] | None = None
        self._me = Person(account.fingerprint, ME, account.certificate, (), "me")
        if self.problem and not suspect:
            raise self.problem

    @classmethod
    def load(cls, account: Account, *, suspect: bool = False) -> Keyring:
        """Read the keyring of an unlocked account.

        KeyringUntrusted (KeyringRolledBack, KeyringDamaged) when its statement may not be believed. With
        `suspect` it is read all the same, for looking and confirming: nobody is a friend then, `problem` says
        why, and the first change writes a new statement.
        """
        return cls(account, suspect=suspect)

    @property
    def problem(self) -> KeyringUntrusted | None:
        """Why the statement on the disk may not be believed; None when it may."""
        return self._snapshot.held.problem

    @property
    def me(self) -> Person:
        """The owner, with his key as it is now: he may extend or revoke it while this runs."""
        certificate = self._account.certificate
        if certificate is not self._me.certificate:
            self._me = Person(self._account.fingerprint, ME, certificate, (), "me")
        return self._me

    def refresh(self) -> bool:
        """Read again if anything changed on the disk; whether it had. KeyringUntrusted as in `load`."""
        if self._store.stamp() == self._snapshot.stamp:
            return False
        snapshot = Snapshot(self._store, self._account.key)
        if snapshot.held.problem and not self._suspect:
            raise snapshot.held.problem
        self._snapshot = snapshot
        return True

    # --- people ---------------------------------------------------------------------------------------------

    def friends(self) -> list[Person]:
        """Confirmed friends, by local name."""
        return [person for person in self._snapshot.confirmed() if person.status == "friend"]

    def known(self) -> list[Person]:
        """Confirmed keys that are held to verify with, by local name."""
        return [person for person in self._snapshot.confirmed() if person.status == "known"]

    def unconfirmed(self) -> list[Person]:
        """Whoever has a key file of mine that the statement does not name: for verifying only."""
        return self._snapshot.unconfirmed()

    def people(self) -> list[Person]:
        """Friends, known keys, unconfirmed ones; not the owner."""
        return [*self.friends(), *self.known(), *self.unconfirmed()]

    def person(self, fingerprint: Fingerprint) -> Person | None:
        """Whoever it is, the owner too; None when no key of his is held."""
        return self.me if fingerprint == self._me.fingerprint else self._snapshot.person(fingerprint)

    def certificate(self, fingerprint: Fingerprint) -> Certificate | None:
        """Any key that is held, also unconfirmed, also the own one: for verifying."""
        person = self.person(fingerprint)
        return None if person is None else person.certificate

    def is_friend(self, fingerprint: Fingerprint) -> bool:
        """Whether somebody is a confirmed friend."""
        return self._snapshot.is_friend(fingerprint)

    def differences(self) -> list[Difference]:
        """Where key files and statement disagree, as of the last reading."""
        return self._snapshot.differences()

    def unsettled(self) -> list[Difference]:
        """Those differences that ask for a word: all but keys that are merely held to verify with (K10.6)."""
        # Without a statement nothing tells them from known keys that were confirmed once.
        return [one for one in self.differences() if self.problem or not one.held_only]

    # --- subkeys --------------------------------------------------------------------------------------------

    def owner_of(self, keyid: bytes) -> Fingerprint | None:
        """The one person who holds that key id (8 bytes); None when nobody does or several claim it."""
        return self._all_owners().owner_of(keyid)

    def contested(self, person: Person) -> dict[bytes, list[Person]]:
        """The encryption key ids of somebody that others carry as well, with those others."""
        owners = self._all_owners()
        claims = {
            keyid: list(owners.claimants(keyid)) for keyid in sorted(person.certificate.encryption_keyids)
        }
        others = {
            keyid: [p for p in people if p.fingerprint != person.fingerprint]
            for keyid, people in claims.items()
        }
        return {keyid: people for keyid, people in others.items() if people}

    def contested_news(self, person: Person) -> dict[bytes, list[Person]]:
        """As `contested`, of what somebody's key would have once its news are confirmed."""
        return {} if person.reported is None else self.contested(replace(person, certificate=person.reported))

    def _all_owners(self) -> Owners:
        # Together with what they follow from: a thread that reads again in between leaves nothing stale here.
        snapshot, me, owners = self._snapshot, self.me, self._owners
        if owners is None or owners[0] is not snapshot or owners[1] is not me:
            owners = self._owners = snapshot, me, Owners([me, *snapshot.confirmed()])
        return owners[2]

    # --- groups ---------------------------------------------------------------------------------------------

    def groups(self) -> list[str]:
        """Every group, ``a/b`` for a nested one; empty ones too."""
        return self._account.root.groups()

    def members(self, group: str) -> list[Person]:
        """The confirmed members of a group and of the groups in it, by local name."""
        return [person for person in self.friends() if any(_inside(own, group) for own in person.groups)]

    def group(self, word: str) -> str:
        """The group that is meant, with or without its ``@``, in any case; UnknownWho when there is none."""
        wanted = word.removeprefix("@")
        held = {fold(group): group for group in self.groups()}
        if wanted in held.values():
            return wanted
        if fold(wanted) not in held:
            raise UnknownWho(f"there is no group {wanted!r}; `mau group list` shows those there are")
        return held[fold(wanted)]

    # --- words ----------------------------------------------------------------------------------------------

    def resolve(self, word: str) -> Person:
        """From a word to a person (UnknownWho, AmbiguousWho); he may be unconfirmed."""
        return resolve(word, self.me, self._snapshot.confirmed(), self.unconfirmed)

    def resolve_fingerprint(self, word: str) -> Fingerprint:
        """As `resolve`, but a whole fingerprint need not be anybody's."""
        return full_fingerprint(word) or self.resolve(word).fingerprint

    def audience(self, words: Sequence[str]) -> list[Person]:
        """The confirmed people meant by words and ``@groups``, each once (UnknownWho, NoAudience)."""
        found: dict[Fingerprint, Person] = {}
        for word in words:
            if word.startswith("@"):
                group = self.group(word)
                people = self.members(group)
                if not people:
                    raise NoAudience(f"{'@' + group!r} has no confirmed members")
            else:
                people = [self.resolve(word)]
                if not people[0].confirmed:
                    raise UnknownWho(
                        f"{word!r} has a key file here but was never confirmed; look with `mau friend show`, "
                        "then `mau friend confirm`"
                    )
            found.update((person.fingerprint, person) for person in people)
        return list(found.values())

    def resolve_difference(self, word: str) -> Fingerprint:
        """As `resolve`, and also whom the statement names although his key files have vanished."""
        try:
            return self.resolve(word).fingerprint
        except UnknownWho:
            for difference in self.differences():
                if name_key(word) in (name_key(difference.local_name), difference.fingerprint.hex):
                    return difference.fingerprint
            raise

    def check(self, certificate: Certificate, *, known: bool = False) -> None:
        """Whether `add` would take a key (KeyRefused), to be known before anybody is asked anything."""
        changing.check(self._snapshot, self.me, certificate, known=known)

    def suggest_name(self, certificate: Certificate, taken: Collection[str] = ()) -> str:
        """A free local name: what somebody was called before, or made of what his key says; may be ""."""
        snapshot = self._snapshot
        in_use = {name_key(entry.local_name) for entry in snapshot.statement.entries.values()} | set(taken)
        before = snapshot.held.statement.entries.get(certificate.fingerprint)
        if before is not None and name_key(before.local_name) not in in_use:
            return before.local_name
        return suggest(certificate.name, certificate.email, in_use)

    # --- changes --------------------------------------------------------------------------------------------

    def add(
        self,
        certificate: Certificate,
        local_name: str | None = None,
        groups: Iterable[str] = (),
        *,
        known: bool = False,
    ) -> Person:
        """Make somebody a friend (and a member of groups), or with `known` hold the key to verify with.

        A key that is held already takes in what the copy brings; places stay, and None keeps the local name.
        KeyRefused for a key that may not be used, UsageError for a name that may not be given.
        """
        with self._changing() as (change, snapshot):
            names = [self._new_group(group) for group in groups]
            changing.add(change, snapshot, self.me, certificate, local_name, names, known=known)
        return self._must(certificate.fingerprint)

    def hold(self, certificate: Certificate) -> Person:
        """Hold a key of somebody new to verify with, unconfirmed and without a name (K3.4, K10.6).

        Whoever is held already stays as he is. KeyRefused for a key that may not be used.
        """
        with self._changing() as (change, snapshot):
            changing.hold(change, snapshot, self.me, certificate)
        return self._must(certificate.fingerprint)

    def take_in(self, fetched: Certificate) -> News:
        """Merge a copy of the key of a friend or known person, whoever brought it (K11).

        KeyRefused, KeyMalformed; UnknownWho when the person was never confirmed. Nothing is written when the
        copy brings nothing.
        """
        from mau.openpgp.merging import merge_fetched

        before = self._snapshot.person(fetched.fingerprint)
        if before is not None and before.confirmed:
            merged = merge_fetched(before.certificate, fetched, before.reported)
            if (merged.certificate, merged.reported) == (before.certificate, before.reported):
                return News(before, (), tuple(before.news), fresh=False)
        with self._changing() as (change, snapshot):
            changing.take_in(change, snapshot, fetched)
            before = snapshot.person(fetched.fingerprint)
        after = self._must(fetched.fingerprint)
        changes = describe_changes(before.certificate, after.certificate) if before else []
        known = before.news if before else []
        return News(after, tuple(changes), tuple(after.news), fresh=bool(set(after.news) - set(known)))

    def remove(self, who: Person | Fingerprint) -> None:
        """Forget a key and all its places. Posts stay where they are."""
        with self._changing() as (change, snapshot):
            changing.remove(change, snapshot, _fingerprint(who))

    def confirm(self, who: Person | Fingerprint, local_name: str | None = None) -> Person | None:
        """Make true what `differences` says of somebody, nothing else; or give him another local name.

        None when nothing of him is left. TreeChanged when a key file is not what it was.
        """
        fingerprint = _fingerprint(who)
        own = [difference for difference in self.differences() if difference.fingerprint == fingerprint]
        with self._changing() as (change, snapshot):
            changing.confirm(change, snapshot, fingerprint, own, local_name)
        return self.person(fingerprint)

    def confirm_all(
        self, names: Mapping[Fingerprint, str], seen: Sequence[Difference] | None = None
    ) -> list[tuple[Fingerprint, MauError]]:
        """Confirm all differences, or those that were `seen`, and no others; returns whom not, and why.

        `names` has the local name for everybody who has none yet.
        """
        shown = self.differences() if seen is None else list(seen)
        left_out: list[tuple[Fingerprint, MauError]] = []
        with self._changing() as (change, snapshot):
            for fingerprint in dict.fromkeys(difference.fingerprint for difference in shown):
                own = [difference for difference in shown if difference.fingerprint == fingerprint]
                try:
                    changing.confirm(change, snapshot, fingerprint, own, names.get(fingerprint))
                except changing.LEFT_OUT as error:
                    left_out.append((fingerprint, error))
        return left_out

    def group_add(self, group: str, persons: Iterable[Person]) -> None:
        """Make friends members of a group, which is made when it is new (UsageError)."""
        group = self._new_group(group)
        with self._changing() as (change, snapshot):
            changing.group_add(change, snapshot, group, persons)

    def group_remove(self, group: str, persons: Iterable[Person] | None = None) -> None:
        """Take people out of a group and the groups in it; without `persons` everybody, and the group itself.

        They stay friends.
        """
        group = self.group(group)
        with self._changing() as (change, snapshot):
            members = None if persons is None else {person.fingerprint for person in persons}
            changing.group_remove(change, snapshot, lambda place: _inside(place, group), members)
            if members is None:
                change.remove_group(group)

    def group_confirm(
        self, group: str, names: Mapping[Fingerprint, str] | None = None
    ) -> list[tuple[Fingerprint, MauError]]:
        """Confirm what differs in a group and the groups in it; returns whom not, and why."""
        group = self.group(group)
        return self.confirm_all(names or {}, [d for d in self.differences() if _inside(d.group, group)])

    def _new_group(self, word: str) -> str:
        """A group that may be made or is there; UsageError when it differs from another by case only."""
        from mau.tree.names import check_group

        name = check_group(word.removeprefix("@"))
        parts = name.split("/")
        for held in self.groups():
            for depth, part in enumerate(held.split("/")[: len(parts)]):
                if part != parts[depth] and fold(part) == fold(parts[depth]):
                    raise UsageError(f"there is a group {held!r} already; write it the same way")
                if part != parts[depth]:
                    break
        return name

    @contextmanager
    def _changing(self) -> Iterator[tuple[Change, Snapshot]]:
        with self._store.locked():
            snapshot = Snapshot(self._store, self._account.key)
            if snapshot.held.problem and not self._suspect:
                raise snapshot.held.problem
            change = Change(self._store, self._account.key, snapshot)
            try:
                yield change, snapshot
                change.commit()
            finally:
                self._snapshot = Snapshot(self._store, self._account.key)

    def _must(self, fingerprint: Fingerprint) -> Person:
        person = self.person(fingerprint)
        if person is None:
            raise UnknownWho(f"the key of {fingerprint} was removed meanwhile")
        return person


def _fingerprint(who: Person | Fingerprint) -> Fingerprint:
    return who if isinstance(who, Fingerprint) else who.fingerprint


def _inside(place: str, group: str) -> bool:
    return place not in ("", KNOWN) and f"{place}/".startswith(f"{group}/")
