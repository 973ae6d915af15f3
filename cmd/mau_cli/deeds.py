"""What a post does to others, in a few words: "answers me/kettle", "likes bob/k3v9x2qa"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mau_cli.output import clean

if TYPE_CHECKING:
    from mau.content.links import Act, Links, Reference
    from mau.keyring import Keyring

_DEEDS: Final[dict[Act, str]] = {
    "like": "likes",
    "dislike": "does not like",
    "share": "shared",
    "bookmark": "noted",
    "follow": "follows",
}


def deed_words(keyring: Keyring, links: Links) -> str:
    """What a post with these links does; "" when it does nothing to another one. One line, cleaned."""
    if links.act:
        return _words(keyring, _DEEDS[links.act], links.objects)
    return _words(keyring, "answers", links.answers)


def _words(keyring: Keyring, deed: str, references: tuple[Reference, ...]) -> str:
    from mau_cli.audience import called
    from mau_cli.posts import ref_words

    if not references:
        return ""
    address = references[0].address
    what = (
        called(keyring, address.author)
        if address.name is None
        else ref_words(keyring, address.author, address.name)
    )
    more = f" and {len(references) - 1} more" if len(references) > 1 else ""
    return f"{deed} {clean(what)}{more}"
