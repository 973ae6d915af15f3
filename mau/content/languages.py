"""Values in several languages: which one somebody reads (spec/content.md CT40-CT46). Pure.

A value is a text; a value object with ``@language``; or a list of both. A map from languages to texts is what
ActivityStreams writes. Languages are chosen by lookup (RFC 4647 section 3.4).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

_TAG: Final = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8}){0,10}")
_LOCALE: Final = re.compile(r"([A-Za-z]{2,8})(?:_([A-Za-z0-9]{1,8}))?(?:\.[^@]*)?(?:@.*)?")
_MOST: Final = 1000
"""Values of one word that are looked at."""
NONE: Final = "@none"


def is_language(text: str) -> bool:
    """Whether that is the form of a language tag (RFC 5646)."""
    return _TAG.fullmatch(text) is not None


def texts_of(value: Any) -> list[tuple[str, str]]:
    """The texts that a value holds, each with its language, "" for none, in their order."""
    if isinstance(value, str):
        return [(value, "")]
    found: list[tuple[str, str]] = []
    for one in (value if isinstance(value, list) else [value])[:_MOST]:
        if isinstance(one, str):
            found.append((one, ""))
        elif isinstance(one, dict):
            text, language = one.get("@value"), one.get("@language")
            if isinstance(text, str):
                found.append((text, language if isinstance(language, str) and is_language(language) else ""))
    return found


def texts_of_map(value: Any) -> list[tuple[str, str]]:
    """The same of a map from languages to texts."""
    found: list[tuple[str, str]] = []
    if isinstance(value, dict):
        for language, held in list(value.items())[:_MOST]:
            for one in (held if isinstance(held, list) else [held])[:_MOST]:
                if isinstance(one, str):
                    found.append((one, language if is_language(language) else ""))
    return found[:_MOST]


def chosen(
    texts: Sequence[tuple[str, str]], languages: Sequence[str] = (), default: str = ""
) -> tuple[str, str]:
    """What somebody reads of some texts, and its language: those in one language, with line feeds between.

    `languages`: what he reads, the best first. `default`: the language of texts that state none. When nothing
    fits it is those that state none, else those in the language that comes first.
    """
    if len(texts) == 1:
        return texts[0][0], texts[0][1] or default
    if not texts:
        return "", ""
    stated = dict.fromkeys((language or default).lower() for _, language in texts)
    best = lookup(languages, [language for language in stated if language])
    if best is None:
        best = next((default.lower() for _, language in texts if not language), next(iter(stated)))
    same = [(text, language or default) for text, language in texts if (language or default).lower() == best]
    return "\n".join(text for text, _ in same if text), same[0][1]


def lookup(languages: Iterable[str], offered: Sequence[str]) -> str | None:
    """The offered language that fits best: each wanted one is made shorter until it is offered.

    After that whatever is offered in a more special form of a wanted one: who reads ``pt`` reads ``pt-BR``.
    """
    by_form = {tag.lower(): tag for tag in reversed(offered)}
    for wanted in languages:
        form = wanted.lower()
        while form:
            if form in by_form:
                return by_form[form]
            more = next((tag for one, tag in by_form.items() if one.startswith(f"{form}-")), None)
            if more is not None:
                return more
            form = form.rpartition("-")[0]
            if form[-2:-1] == "-":
                form = form[:-2]
    return None


def of_locale(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The languages that an environment asks for (POSIX: LC_ALL, LC_MESSAGES, LANG; GNU: LANGUAGE first)."""
    locale = next((value for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (value := environ.get(name))), "")
    if locale.partition(".")[0] in {"", "C", "POSIX"}:
        return ()  # LANGUAGE counts for nothing there
    named = [*environ.get("LANGUAGE", "").split(":"), locale]
    found = (_LOCALE.fullmatch(one) for one in named)
    return tuple(
        dict.fromkeys("-".join(filter(None, (one[1].lower(), one[2]))) for one in found if one is not None)
    )
