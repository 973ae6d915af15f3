"""What a post says in short: enough to order, filter and gather posts without opening them again. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mau.content.address import Address
from mau.content.binding import Audience
from mau.content.links import NO_LINKS, Links, links_of, word_of
from mau.content.origin import from_web
from mau.content.posting import sound, text_of, type_of
from mau.content.tags import tags_of
from mau.fingerprint import Fingerprint

if TYPE_CHECKING:
    from mau.reader.open import OpenedPost

_TITLE = 200  # characters
_TYPE = 100


@dataclass(frozen=True, slots=True)
class Summary:
    """One content under its name. `error` is the class of what is wrong with it; "" when it holds.

    `time` is the signature's, in unix seconds; for a file too large to be opened for a list the file's own,
    and `checked` is False. `type` is the schema.org word ("" for a file that is no document), `words` the
    beginning of its text. `apart` says what it is when it is no post to show (``delete``, ``contact``,
    ``keyring``, ``marks``, ``sources``). `hidden`: it lies in ``.FPR``. `deleted`: its author deleted it.
    `origin`: the host on the web that I copied it from; what it says is that host's, not its author's.
    """

    author: Fingerprint
    name: str
    sha256: str
    size: int
    time: int
    checked: bool = True
    error: str = ""
    type: str = ""
    words: str = ""
    audience: Audience | None = None
    encrypted: bool = True
    tags: tuple[str, ...] = ()
    links: Links = NO_LINKS
    apart: str = ""
    hidden: bool = False
    deleted: bool = False
    origin: str = ""

    @property
    def address(self) -> Address:
        """The post's."""
        return Address(self.author, self.name)


def summarise(
    me: Fingerprint, post: OpenedPost, sha256: str, size: int, *, apart: str = "", hidden: bool = False
) -> Summary:
    """The summary of a post that holds, as `me` sees it."""
    document = post.document
    seen = from_web(me, post.author, document, post.audience)
    return Summary(
        author=post.author,
        name=post.name,
        sha256=sha256,
        size=size,
        time=post.signed_at,
        type="" if document is None else sound(word_of(type_of(document))[:_TYPE]),
        words="" if document is None else sound(text_of(document)[:_TITLE]),
        audience=post.audience,
        encrypted=post.opened.encrypted,
        tags=tuple(map(sound, tags_of(document))),
        links=links_of(post.author, document),
        apart=apart,
        origin="" if seen is None else seen.host,
        hidden=hidden,
    )
