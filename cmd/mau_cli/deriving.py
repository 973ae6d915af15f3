"""What replies, likes and shares have in common: the post they are about, and for whom they are.

By default for those who could read the original and whom I can write to, and never for more of them without
being told so (spec/conversations.md CV20-CV24).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import click

from mau.errors import NoAudience, UsageError
from mau_cli.output import clean, say

if TYPE_CHECKING:
    from mau.content.binding import Audience
    from mau.content.links import Reference
    from mau.conversation.audience import LeftOut
    from mau.fingerprint import Fingerprint
    from mau.keyring import Keyring
    from mau.reader.open import OpenedPost
    from mau_cli.context import Session
    from mau_cli.posts import Meant

_MAX_TEXT: Final = 1 << 20  # bytes
_CUT: Final = "---- what stands below this line is not sent ----"
_WAYS: Final = "say --to WHO (or --to @GROUP), --friends, --me or --public"
_WHY: Final = {
    "blocked": "you blocked them",
    "no key": "no key of theirs is held here",
    "unconfirmed": "their key was never confirmed by you",
    "no friend": "not a friend of yours",
    "key unusable": "nothing can be encrypted for their key",
}


@dataclass(frozen=True, slots=True)
class Original:
    """The post that something is about. `readers`: who could read it; None where that is not known."""

    meant: Meant
    post: OpenedPost
    sha256: str
    readers: Audience | None
    unknown: tuple[bytes, ...] = ()
    """The key ids in its head that are nobody's who is known, when it states for nobody itself."""

    @property
    def reference(self) -> Reference:
        """Its address, and the content that was seen."""
        from mau.content.address import Address
        from mau.content.links import Reference

        return Reference(Address(self.meant.author, self.meant.name), self.sha256)


def find_original(session: Session, keyring: Keyring, ref: str) -> Original:
    """The post that REF means, opened and checked; as `resolve_ref`, or a PostError when it does not hold."""
    from mau.deletion.held import deletes_of
    from mau_cli.posts import find_version, opened, resolve_ref

    meant = resolve_ref(session, keyring, ref)
    version = None if meant.version is None else find_version(meant, meant.version)
    with opened(session, keyring, meant, version) as (post, _):
        sha256 = version or meant.directory.sha256(meant.name)
        if deletes_of(session.account(), keyring, meant.author).is_deleted(
            meant.name, sha256, post.signed_at
        ):
            say(
                "Note: its author deleted it."
                if meant.author != keyring.me.fingerprint
                else "You deleted it."
            )
        return Original(meant, post, sha256, *_readers(keyring, post))


def _readers(keyring: Keyring, post: OpenedPost) -> tuple[Audience | None, tuple[bytes, ...]]:
    if post.audience is not None or not post.opened.encrypted:
        return post.audience, ()
    owners = {keyid: keyring.owner_of(keyid) for keyid in post.opened.recipients}
    known = frozenset(owner for owner in owners.values() if owner is not None)
    return known | {post.author}, tuple(keyid for keyid, owner in owners.items() if owner is None)


# --- for whom ----------------------------------------------------------------------------------------------


def derived_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of `audience_options`, ``--wider`` and ``--yes``; `choose_derived` takes what they give."""
    from mau_cli.audience import audience_options

    command = click.option("--yes", is_flag=True, help="Ask nothing.")(command)
    command = click.option(
        "--wider", is_flag=True, help="Let it be for people who cannot read what it is about."
    )(command)
    return audience_options(command)


def choose_derived(
    session: Session,
    original: Original,
    *,
    to: Sequence[str],
    friends: bool,
    me: bool,
    public: bool,
    wider: bool,
    yes: bool,
    of_public: Callable[[Keyring, Original], Audience | None] = lambda *_: None,
) -> Audience:
    """For whom it is: as the options say, else as the original was, as far as they can be written to.

    `of_public` may say for whom by default what is about a public post; else that is asked, on a terminal.
    NoAudience when nothing says it; UsageError when it would be wider and nobody confirmed that.
    """
    from mau.content.binding import Public
    from mau.conversation.audience import derived_audience
    from mau.marks import blocked
    from mau_cli.audience import ask_audience, audience_words, choose_audience

    keyring = session.keyring()
    readers = original.readers
    if to or friends or me or public:
        audience = choose_audience(session, to=to, friends=friends, me=me, public=public)
        _check_wider(session, keyring, original, audience, allowed=wider or yes)
        return audience
    if wider:
        raise UsageError(f"--wider goes with the people who are to have it: {_WAYS}")
    refused = blocked(session.account())
    derived = derived_audience(keyring, original.post.author, readers, refused=refused)
    chosen = of_public(keyring, original) if derived.audience is None else derived.audience
    if chosen is None:
        if not session.interactive:
            what = "public" if isinstance(readers, Public) else "written for whom it does not say"
            raise NoAudience(f"for whom? What this is about is {what}; {_WAYS}")
        return ask_audience(keyring, refused)
    _say_left_out(keyring, derived.left_out, original.unknown)
    if derived.left_out and chosen == frozenset({keyring.me.fingerprint}):
        raise NoAudience(f"nobody else of those who can read it can be written to; {_WAYS}")
    if derived.left_out and session.interactive and not session.confirm(_question(keyring, chosen), yes=yes):
        raise click.Abort
    if not session.interactive or not derived.left_out:
        say(f"It is for {clean(audience_words(keyring, chosen, keyring.me.fingerprint))}.")
    return chosen


def _question(keyring: Keyring, audience: Audience) -> str:
    from mau_cli.audience import audience_words

    return f"Send it to {clean(audience_words(keyring, audience, keyring.me.fingerprint))}?"


def _check_wider(
    session: Session, keyring: Keyring, original: Original, audience: Audience, *, allowed: bool
) -> None:
    """Ask when somebody would have it who cannot read the original: they would learn of it by this."""
    from mau.content.binding import Public
    from mau.conversation.audience import wider
    from mau_cli.audience import called

    readers = original.readers
    if allowed or not wider(audience, original.post.author, readers):
        return
    if isinstance(audience, Public) or not isinstance(readers, frozenset):
        whom = "everybody"
    else:
        others = audience - readers - {original.post.author}
        whom = ", ".join(sorted((called(keyring, one) for one in others), key=str.casefold))
    words = f"what this is about was not written for {clean(whom)}, who would learn of it"
    if not session.interactive:
        raise UsageError(f"{words}; say --wider if that is what you want")
    if not session.confirm(f"{words[0].upper()}{words[1:]}. Go on?"):
        raise click.Abort


def _say_left_out(keyring: Keyring, left_out: Sequence[LeftOut], unknown: Sequence[bytes]) -> None:
    from mau_cli.audience import called, keyid_words

    for one in left_out:
        say(f"Left out: {clean(called(keyring, one.fingerprint))} ({_WHY[one.why]}).")
    for keyid in unknown:
        say(f"Left out: {keyid_words(keyring, keyid)}.")


# --- the text ----------------------------------------------------------------------------------------------


@contextmanager
def text_given(session: Session, text: str | None, *, about: str = "") -> Iterator[str]:
    """TEXT as it was given; else what stands on stdin; on a terminal, what was written in the editor.

    What was written in the editor is not lost when the block fails. `about` is shown there below the text,
    and not sent. UsageError when there is no text.
    """
    if text is None and session.interactive:
        with _edited(session, about) as words:
            yield words
        return
    yield _something(text if text is not None and text != "-" else _from_stdin())


def _something(words: str) -> str:
    if not words.strip():
        raise UsageError("there is nothing in it to send")
    return words


@contextmanager
def _edited(session: Session, about: str) -> Iterator[str]:
    from mau.tree.names import random_name
    from mau.writing.drafts import keep_text
    from mau.writing.editor import without_modelines
    from mau_cli.writing import Desk

    name = random_name(datetime.now(UTC))
    desk = Desk(session, lambda data: keep_text(session.account(), name, "md", data), insecure=False)
    with desk.keeping():
        start = f"\n\n{_CUT}\n{without_modelines(about)}\n" if about else ""
        words = desk.write(start, ".md", _above, empty=lambda written: not _above(written))
        yield _something(words or "")
        desk.done()


def _above(written: str) -> str:
    """What stands above the line below which nothing is sent."""
    kept: list[str] = []
    for line in written.splitlines():
        if line.rstrip() == _CUT:
            break
        kept.append(line)
    return "\n".join(kept).strip("\n")


def _from_stdin() -> str:
    data = sys.stdin.buffer.read(_MAX_TEXT + 1)
    if len(data) > _MAX_TEXT:
        raise UsageError("a text has at most 1 MiB; `mau share` takes any file")
    try:
        return data.decode().removesuffix("\n")
    except UnicodeDecodeError:
        raise UsageError("that is no text in UTF-8; `mau share` takes any file") from None


# --- people ------------------------------------------------------------------------------------------------


def author_alone(keyring: Keyring, original: Original) -> frozenset[Fingerprint] | None:
    """The author of a public post and me; None when nothing can be encrypted for him."""
    from mau.publish import writable

    me = keyring.me.fingerprint
    audience = writable(keyring, frozenset({me, original.post.author}))
    return audience if isinstance(audience, frozenset) and original.post.author in audience else None
