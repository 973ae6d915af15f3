"""Whether a post is one that its reader does not want to see, and why (spec/marks.md MK22-MK23). Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from mau.content.address import Address, post_iri
from mau.fingerprint import Fingerprint
from mau.marks.subject import fold_words

if TYPE_CHECKING:
    from mau.marks.decisions import Decision
    from mau.reader.summary import Summary

Find = Callable[[Fingerprint, str], "Summary | None"]
"""The post of that author and name, when it is held."""

MAX_ABOVE: Final = 50
"""Posts above another one that are looked at, to find out whether it belongs to a muted thread."""
_NO_SPACES: Final = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]"
)
"""Of scripts that put no space between words."""


class Muting:
    """The mutes and blocks that hold, in a form that is quick to ask."""

    def __init__(self, own: Fingerprint, mutes: Iterable[Decision], blocked: Iterable[Fingerprint]) -> None:
        self._own = own
        self._blocked = frozenset(blocked)
        self._people: set[Fingerprint] = set()
        self._tags: set[str] = set()
        self._threads: set[str] = set()
        self._words: list[tuple[str, re.Pattern[str]]] = []
        for mute in mutes:
            subject = mute.subject
            if subject.kind == "person":
                self._people.add(subject.fingerprint)
            elif subject.kind == "tag":
                self._tags.add(subject.value)
            elif subject.kind == "thread":
                self._threads.add(subject.value)
            else:
                self._words.append((subject.value, _pattern(subject.value)))
        patterns = "|".join(pattern.pattern for _, pattern in self._words)
        self._any_words = re.compile(patterns) if patterns else None

    def reason(self, post: Summary, text: str, find: Find | None) -> str:
        """Words for people, "" when it is to be shown; one's own posts always are, but not copies."""
        if post.author == self._own and not post.origin:
            return ""
        if post.author in self._blocked:
            return "blocked"
        if post.author in self._people:
            return "muted"
        if post.links.act == "share" and post.links.objects:
            shared = {reference.address.author for reference in post.links.objects}
            if shared <= self._people | self._blocked:
                return "it passes on what somebody wrote whom you muted or blocked"
        found = next((tag for tag in post.tags if tag in self._tags), None)
        if found is not None:
            return f"the tag #{found} is muted"
        if self._threads and self._in_thread(post, find):
            return "its thread is muted"
        if self._any_words is not None:
            folded = fold_words(text or post.words)
            if self._any_words.search(folded):
                phrase = next(phrase for phrase, pattern in self._words if pattern.search(folded))
                return f"the words {phrase!r} are muted"
        return ""

    def _in_thread(self, post: Summary, find: Find | None) -> bool:
        waiting: list[Address] = [post.address]
        seen: set[Address] = set()
        while waiting and len(seen) < MAX_ABOVE:
            address = waiting.pop()
            if address in seen or address.name is None:
                continue
            seen.add(address)
            if post_iri(address.author, address.name) in self._threads:
                return True
            above = post if address == post.address else find and find(address.author, address.name)
            if above:
                waiting += [one.address for one in (*above.links.answers, *above.links.objects)]
        return False


def _pattern(phrase: str) -> re.Pattern[str]:
    text = re.escape(phrase)
    if _NO_SPACES.search(phrase):
        return re.compile(text)
    return re.compile(rf"(?<!\w){text}(?!\w)")
