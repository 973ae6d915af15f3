"""What is meant by the words of `mau mute` and `mau unmute`, and how what is muted is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mau.errors import MauError, UnknownWho, UsageError

if TYPE_CHECKING:
    from mau.keyring import Keyring
    from mau.marks.decisions import Decision
    from mau.marks.subject import Subject
    from mau_cli.context import Session


def meant_subject(session: Session, keyring: Keyring, word: str) -> Subject:
    """Whom or what a word means: ``#tag``, an address or WHO/NAME of a post, else somebody."""
    from mau.content.address import resolve_iri
    from mau.marks import subject as subjects
    from mau_cli.posts import resolve_address

    if word.startswith("#"):
        return subjects.tag(word)
    if word.startswith(("mau:", "/p2p/")):
        address = resolve_iri(word, keyring.me.fingerprint)
        if address is not None and address.name is None:
            return _somebody(keyring, word, address.author.hex)
    if "/" in word:
        return subjects.thread(resolve_address(session, keyring, word))
    try:
        return _somebody(keyring, word, word)
    except UnknownWho as unknown:
        try:  # the name of a post alone will do, too
            return subjects.thread(resolve_address(session, keyring, word))
        except MauError:
            raise unknown from None


def _somebody(keyring: Keyring, word: str, who: str) -> Subject:
    from mau.marks import subject as subjects

    fingerprint = keyring.resolve_fingerprint(who)
    if fingerprint == keyring.me.fingerprint:
        raise UsageError(f"that is you: {word!r:.120}")
    return subjects.person(fingerprint)


def subject_words(keyring: Keyring, subject: Subject) -> str:
    """A person, a tag, a thread or words as they are shown; to be cleaned by whoever shows them."""
    from mau_cli.audience import called
    from mau_cli.posts import ref_words

    if subject.kind == "person":
        return called(keyring, subject.fingerprint)
    if subject.kind == "tag":
        return f"#{subject.value}"
    if subject.kind == "words":
        return repr(subject.value)
    from mau.content.address import resolve_iri

    address = resolve_iri(subject.value, keyring.me.fingerprint)
    if address is None or address.name is None:
        return subject.value
    return f"the thread of {ref_words(keyring, address.author, address.name)}"


def decision_facts(keyring: Keyring, decision: Decision) -> dict[str, object]:
    """What `--json` says of a mute or a block."""
    from mau_cli.people import moment

    subject = decision.subject
    facts: dict[str, object] = {"kind": subject.kind, "since": moment(decision.at)}
    if subject.kind == "person":
        person = keyring.person(subject.fingerprint)
        name = person.local_name if person is not None and person.local_name else None
        facts |= {"fingerprint": subject.fingerprint, "name": name}
    else:
        facts[{"tag": "tag", "thread": "address"}.get(subject.kind, "words")] = subject.value
    return facts | {"until": moment(decision.until)}
