"""From a word to a person (spec/keyring.md K5). Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from mau.errors import AmbiguousWho, InvalidFingerprint, UnknownWho
from mau.fingerprint import Fingerprint
from mau.keyring.names import ME, MIN_PREFIX, looks_like_fingerprint, name_key
from mau.keyring.person import Person
from mau.words import look_like_words


def resolve(
    word: str,
    me: Person,
    confirmed: Sequence[Person],
    unconfirmed: Callable[[], Sequence[Person]],
) -> Person:
    """The one person meant: "me", a local name, a fingerprint, its words or its beginning, a friend's e-mail.

    UnknownWho, or AmbiguousWho with the candidates in its message. A local name comes before everything else,
    so that nobody's key can take another's place. Unconfirmed key files are opened only when needed.
    """
    word = word.strip()
    key = name_key(word)
    if key == ME:
        return me
    for person in confirmed:
        if name_key(person.local_name) == key:
            return person
    if look_like_words(word):
        return _by_fingerprint(Fingerprint.parse_words(word).hex, [me, *confirmed, *unconfirmed()])
    if looks_like_fingerprint(word):
        return _by_fingerprint(word, [me, *confirmed, *unconfirmed()])
    if "@" in word and not word.startswith("@"):
        return _by_email(word, confirmed)
    raise UnknownWho(f"nobody is called {word!r}{_hint(word)}")


def _hint(word: str) -> str:
    if word.startswith("@"):
        return ": that is a group, and one person was asked for"
    if word and len(word) < MIN_PREFIX and all(digit in "0123456789abcdefABCDEF" for digit in word):
        return f"; the beginning of a fingerprint needs {MIN_PREFIX} digits or more"
    return "; `mau friend list` shows who is known"


def _by_fingerprint(word: str, everybody: Iterable[Person]) -> Person:
    prefix = name_key(word).replace(" ", "").replace(":", "").removeprefix("0x")
    matches = [person for person in everybody if person.fingerprint.hex.startswith(prefix)]
    if not matches:
        raise UnknownWho(f"no key is held whose fingerprint begins with {prefix!r}")
    return _only(word, matches)


def _by_email(word: str, people: Iterable[Person]) -> Person:
    address = word.casefold()
    matches = [
        person
        for person in people
        if person.status == "friend" and address in {email.casefold() for email in person.certificate.emails}
    ]
    if not matches:
        raise UnknownWho(f"no confirmed friend has the address {word!r}")
    return _only(word, matches)


def _only(word: str, matches: Sequence[Person]) -> Person:
    if len(matches) == 1:
        return matches[0]
    listed = "".join(f"\n{person.fingerprint}  {person.local_name or '(unconfirmed)'}" for person in matches)
    raise AmbiguousWho(f"{word!r} fits {len(matches)} people; say it by local name or fingerprint:{listed}")


def full_fingerprint(word: str) -> Fingerprint | None:
    """A whole fingerprint in digits or words, or None; InvalidFingerprint for fifteen wrong words."""
    if look_like_words(word):
        return Fingerprint.parse_words(word)
    try:
        return Fingerprint.parse_loose(word)
    except InvalidFingerprint:
        return None
