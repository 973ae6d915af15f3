"""Which post is meant: what programs have in hand, or what people write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from mau.content.address import Address, resolve_iri
from mau.conversation.naming import meant_names
from mau.errors import AmbiguousPost, NoSuchPost, UsageError
from mau.reader.open import directories_of

if TYPE_CHECKING:
    from mau.account import Account
    from mau.keyring import Keyring


class Addressed(Protocol):
    """Whatever has an address: `Post`, `Posted`."""

    @property
    def address(self) -> str:
        """``mau:/p2p/FPR/NAME.pgp``."""


Ref = str | Addressed
"""A post or its address; also ``WHO/NAME``, where of NAME its beginning serves."""


def address_of(account: Account, keyring: Keyring, ref: Ref) -> Address:
    """The address of a post, of one version of it where `ref` names one. It need not be held.

    UsageError, AddressMalformed, UnknownWho, AmbiguousWho; NoSuchPost and AmbiguousPost of ``WHO/NAME``.
    """
    text = ref if isinstance(ref, str) else ref.address
    if text.startswith(("mau:", "/p2p/", "//")):
        address = resolve_iri(text, account.fingerprint)
        if address is None or address.name is None:
            raise UsageError(f"that is the address of a person; which post? {text!r:.120}")
        return address
    who, slash, word = text.partition("/")
    if not slash or not word:
        raise UsageError(f"which post? An address or WHO/NAME, and not {text!r:.120}")
    author = keyring.resolve_fingerprint(who)
    names = [name for one in directories_of(account, author) for name in one.names()]
    found = meant_names(word, dict.fromkeys(names))
    if not found:
        raise NoSuchPost(f"no post {word!r} of {who!r} is held here")
    if len(found) > 1:
        raise AmbiguousPost(f"{word!r} can be {len(found)} posts: {', '.join(sorted(found)[:10])}")
    return Address(author, found[0])
