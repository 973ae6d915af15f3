"""What a post states about itself: its name and for whom it is (spec/messages.md M10-M27).

OpenPGP signs neither a file's name nor its audience, so a recipient could strip the encryption and pass the
signed inside on, or rename it. Therefore what is signed states both: a JSON-LD document in its ``@id`` and
``audience``, any other file in two hashed notations of the signature. `read_statement` is the one function
that reads either; it is pure, and for hostile input it raises nothing but MalformedPost and Renamed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Literal

from mau.content.address import PUBLIC_IRI, Address, base_iri, person_iri, post_iri, resolve_iri
from mau.content.jsonld import SCHEMA_ORG, doubled, expand, known_context, parse
from mau.errors import AddressMalformed, MalformedPost, Renamed, UsageError
from mau.fingerprint import Fingerprint

NAME_NOTATION = "id@mau.invalid"
AUDIENCE_NOTATION = "audience@mau.invalid"
FILENAME_NOTATION = "filename@mau.invalid"
ATTACHMENT_NOTATION = "attachment@mau.invalid"

# People in one audience, the author among them.
MAX_AUDIENCE = 1000
# In notations each takes 50 bytes, and GnuPG reads 10,000 bytes of what a signature states: the rest of them
# is for the longest name that there can be, in its escaped form, and the longest file name.
MAX_FILE_AUDIENCE = 150


class Public(Enum):
    """The audience of everybody; its only member is `PUBLIC`."""

    PUBLIC = "public"

    def __repr__(self) -> str:
        return "PUBLIC"


PUBLIC: Final = Public.PUBLIC
Audience = Literal[Public.PUBLIC] | frozenset[Fingerprint]


@dataclass(frozen=True, slots=True)
class Statement:
    """What a post states. `name` is the whole file name; an audience always has the author in it.

    A post that states both is *bound*. `elsewhere` is an ``@id`` that is no address of Mau (a page on the
    web): accepted, shown, and binding no name.
    """

    name: str | None = None
    audience: Audience | None = None
    elsewhere: str | None = None

    @property
    def bound(self) -> bool:
        """Both are stated, so whoever brings the post can change neither."""
        return self.name is not None and self.audience is not None


UNBOUND: Final = Statement()


# --- reading -----------------------------------------------------------------------------------------------


def read_statement(
    author: Fingerprint, notations: Mapping[str, tuple[str, ...]], data: bytes | None
) -> Statement:
    """What a post of `author` states, from the hashed notations of its one good signature and its content.

    `data` is None when the content is too large to be a document. MalformedPost: stated twice or broken.
    Renamed: the stated address is of somebody else, of a person, or of a single version.
    """
    if states_by_notation(notations):
        return _from_notations(author, notations)
    return document_statement(author, None if data is None else parse(data))


def states_by_notation(notations: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether the signature's notations decide, so that the content's own words do not count."""
    return NAME_NOTATION in notations or AUDIENCE_NOTATION in notations


def document_statement(author: Fingerprint, document: dict[str, Any] | None) -> Statement:
    """As `read_statement`, for a document that `jsonld.parse` has read and no notations."""
    if document is None or "@context" not in document or not known_context(document):
        return UNBOUND
    if any(key[:1] == "@" and key not in _KEYWORDS for key in document) or _nested_context(document):
        return UNBOUND
    twice = doubled(document) & _DECIDING
    if twice:
        raise MalformedPost(f"the document gives {min(twice)} twice")
    ids = [key for key in _ID_WORDS if key in document]
    audiences = [key for key in _AUDIENCE_WORDS if key in document]
    if len(ids) > 1 or len(audiences) > 1:
        raise MalformedPost(f"the document states the same in two words: {', '.join(ids + audiences)}")
    iri = document[ids[0]] if ids else None
    if ids and not isinstance(iri, str):
        raise MalformedPost("the document's @id is not a text")
    stated = document[audiences[0]] if audiences else None
    named = _simple_iris(stated)
    if named is None or (iri is not None and iri.startswith("@")):
        iri, named = _expanded(author, document)
    name, elsewhere = (None, None) if iri is None else _own_name(author, iri)
    return Statement(name, _audience(author, named), elsewhere)


# The context is known, so which words mean @id and schema:audience is known too.
_ID_WORDS = ("@id", "id")
_AUDIENCE_WORDS = ("audience", "schema:audience", "http://schema.org/audience", "https://schema.org/audience")
_DECIDING = frozenset({"@context", *_ID_WORDS, *_AUDIENCE_WORDS})
# Any other keyword gives the whole object another meaning: a graph, a set, a value.
_KEYWORDS = frozenset({"@context", "@id", "@type"})
_SCHEMA_AUDIENCE = ("http://schema.org/audience", "https://schema.org/audience")


def _nested_context(document: dict[str, Any]) -> bool:
    """Whether the audience brings a context of its own, which could give its words another meaning.

    MalformedPost when an object in it gives a key twice: readers would disagree about which counts.
    """
    waiting = [document[key] for key in _AUDIENCE_WORDS if key in document]
    found = False
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if doubled(value):
                raise MalformedPost(f"the document gives {min(doubled(value))!r:.80} twice in one object")
            found = found or "@context" in value
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
    return found


def _simple_iris(stated: Any) -> list[str] | None:
    """The addresses of an audience in the shapes that people write; None: let JSON-LD expansion decide."""
    found: list[str] = []
    for one in stated if isinstance(stated, list) else [] if stated is None else [stated]:
        if isinstance(one, str):
            if _is_address(one):
                found.append(one)
        elif isinstance(one, dict) and _is_simple(one):
            iri = one.get("@id", one.get("id"))
            if iri is not None:
                found.append(iri)
        else:
            return None
    return found


def _is_simple(one: dict[str, Any]) -> bool:
    """An object with at most one address, and no keyword that could give it another meaning."""
    if any(key.startswith("@") and key not in {"@id", "@type"} for key in one) or (
        "@id" in one and "id" in one
    ):
        return False
    iri = one.get("@id", one.get("id", ""))
    return isinstance(iri, str) and not iri.startswith("@")


def _is_address(text: str) -> bool:
    # Plain text is text (an "audience" may be a word for people); only what looks like an address is one.
    return text == PUBLIC_IRI or text.startswith(("mau:", "/p2p/"))


def _expanded(author: Fingerprint, document: dict[str, Any]) -> tuple[str | None, list[str]]:
    """The same two by JSON-LD's own rules. Only what decides is expanded: the rest cannot change it."""
    deciding = {key: value for key, value in document.items() if key in _DECIDING}
    deciding["@type"] = "Thing"  # an object with nothing but an @id would vanish
    nodes = expand({**deciding, "@context": SCHEMA_ORG}, base_iri(author))
    if len(nodes) != 1 or not isinstance(nodes[0], dict):
        return None, []
    node = nodes[0]
    found: list[str] = []
    for word in _SCHEMA_AUDIENCE:
        _collect(node.get(word, []), found)
    iri = node.get("@id")
    return iri if isinstance(iri, str) else None, found


def _collect(values: Any, found: list[str]) -> None:
    for value in values if isinstance(values, list) else []:
        if not isinstance(value, dict):
            continue
        text = value.get("@id")
        if isinstance(text, str):
            found.append(text)
        text = value.get("@value")
        if isinstance(text, str) and _is_address(text):
            found.append(text)
        _collect(value.get("@list"), found)


def _own_name(author: Fingerprint, iri: str) -> tuple[str | None, str | None]:
    """The stated name, or the address elsewhere."""
    address = _address(iri, author)
    if address is None:
        return None, iri
    if address.author != author or address.name is None or address.version is not None:
        raise Renamed(f"its author signed it as {iri!r:.200}, which is not a post of {author}")
    return address.name, None


def _address(iri: str, author: Fingerprint) -> Address | None:
    try:
        return resolve_iri(iri, author)
    except AddressMalformed as error:
        raise MalformedPost(str(error)) from None


def _audience(author: Fingerprint, iris: Collection[str]) -> Audience | None:
    """The audience that addresses state; None when none of them is a person of Mau or the public."""
    if PUBLIC_IRI in iris:
        return PUBLIC
    people: set[Fingerprint] = set()
    for iri in iris:
        address = _address(iri, author)
        if address is None:
            continue  # somebody on the web: nobody who could hold a key here
        if address.name is not None:
            raise MalformedPost(f"a post is no addressee: {iri!r:.120}")
        people.add(address.author)
    if not people:
        return None
    people.add(author)
    if len(people) > MAX_AUDIENCE:
        raise MalformedPost(f"stated for more than {MAX_AUDIENCE} people")
    return frozenset(people)


def _from_notations(author: Fingerprint, notations: Mapping[str, tuple[str, ...]]) -> Statement:
    iri = _single(notations, NAME_NOTATION)
    stated = _single(notations, AUDIENCE_NOTATION)
    name: str | None = None
    audience: Audience | None = None
    if iri is not None:
        name, elsewhere = _own_name(author, iri)
        if elsewhere is not None:
            raise MalformedPost(f"the notation {NAME_NOTATION} is no address of Mau")
    if stated is not None:
        iris = stated.split(" ")
        if len(iris) > 1 and PUBLIC_IRI in iris:
            raise MalformedPost("stated for everybody and for single people")
        audience = _audience(author, iris)
        if audience is None or not all(one == PUBLIC_IRI or one.startswith("mau:") for one in iris):
            raise MalformedPost(f"the notation {AUDIENCE_NOTATION} holds what is no address of a person")
    return Statement(name, audience)


def _single(notations: Mapping[str, tuple[str, ...]], key: str) -> str | None:
    values = notations.get(key, ())
    if len(values) > 1:
        raise MalformedPost(f"the signature gives the notation {key} twice")
    return values[0] if values else None


# --- writing -----------------------------------------------------------------------------------------------


def audience_of(
    author: Fingerprint, people: Collection[Fingerprint], most: int = MAX_AUDIENCE
) -> frozenset[Fingerprint]:
    """An audience of some people and the author. UsageError when they are too many for one post."""
    everyone = frozenset(people) | {author}
    if len(everyone) > most:
        what = "a post" if most == MAX_AUDIENCE else "a file"
        raise UsageError(
            f"{what} can be for yourself and {most - 1} people, not {len(everyone) - 1}; "
            "post it more than once, each time for some of them"
        )
    return everyone


def audience_iris(author: Fingerprint, audience: Audience, most: int = MAX_AUDIENCE) -> list[str]:
    """The addresses that state an audience, in an order that says nothing."""
    if isinstance(audience, Public):
        return [PUBLIC_IRI]
    return [person_iri(one) for one in sorted(audience_of(author, audience, most))]


def notations_for(
    author: Fingerprint,
    name: str,
    audience: Audience,
    filename: str | None = None,
    attached: str | None = None,
) -> dict[str, str]:
    """The hashed notations that bind a file: its address, its audience, and what it was called outside.

    `attached` says as what it belongs to another post (spec/attachments.md AT3).
    UsageError when the audience is too large for what other programs read of a signature.
    """
    notations = {
        NAME_NOTATION: post_iri(author, name),
        AUDIENCE_NOTATION: " ".join(audience_iris(author, audience, MAX_FILE_AUDIENCE)),
    }
    if filename is not None:
        notations[FILENAME_NOTATION] = filename
    if attached is not None:
        notations[ATTACHMENT_NOTATION] = attached
    return notations


def bind_document(
    document: Mapping[str, Any], author: Fingerprint, name: str, audience: Audience
) -> dict[str, Any]:
    """The document with its address and audience stated in the one shape that we write.

    UsageError when its context is not schema.org alone: such a document is bound by notations, as a file.
    """
    bound: dict[str, Any] = {"@context": document.get("@context", SCHEMA_ORG)}
    if not known_context(bound) or any(key[:1] == "@" and key not in _KEYWORDS for key in document):
        raise UsageError("only a single object in the words of schema.org can state its name and audience")
    if "@type" in document:
        bound["@type"] = document["@type"]
    bound["@id"] = post_iri(author, name)
    bound["audience"] = [{"@id": iri} for iri in audience_iris(author, audience)]
    for key, value in document.items():
        if key not in bound and key not in _DECIDING:
            bound[key] = value
    return bound
