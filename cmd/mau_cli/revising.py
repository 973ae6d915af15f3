"""An edit of one's own post, from the page to what is published (spec/writing.md P70-P79)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mau.errors import TreeChanged, UsageError
from mau_cli.attaching import Attaching, attached_media
from mau_cli.audience import audience_words
from mau_cli.context import Session
from mau_cli.output import clean, say
from mau_cli.writing import (
    Desk,
    audience_of_written,
    kept_text,
    referring,
    say_left_out,
    with_attached,
)

if TYPE_CHECKING:
    from mau.content.binding import Audience
    from mau.publish import Published
    from mau.writing.composing import Form, Written
    from mau.writing.drafts import Draft
    from mau.writing.revising import Original


class Revision:
    """One edit of a post of one's own."""

    def __init__(
        self, session: Session, name: str, attaching: Attaching, *, raw: bool, insecure: bool
    ) -> None:
        from mau.writing.revising import original

        self._session = session
        self._account, self._keyring = session.account(), session.keyring()
        self._attaching = attaching
        self._insecure = insecure
        self._left_out = ""
        self._stem = f"{name.removesuffix('.pgp')}.edit"
        before = original(self._account, self._keyring, name)
        self._form: Form = "json" if before.document is not None and (raw or not before.plain) else "md"
        self._resumed = kept_text(session, self._stem, self._form)
        kept = None if self._resumed is None else self._resumed[1]
        self._begin = None if kept is None else kept.text
        if kept is not None and kept.base not in {"", before.sha256}:
            before = original(self._account, self._keyring, name, kept.base)
        self._before = before

    def run(self, audience: Audience | None, words: list[str]) -> Published | None:
        """Let the person edit it; None when nothing is to be published.

        `audience` and `words` are what the options say; else it is for whom it was.
        """
        from mau.writing.drafts import remove_draft
        from mau.writing.revising import derived

        if audience is None:
            default = derived(self._account, self._keyring, self._before)
            self._left_out = say_left_out(self._keyring, default.left_out)
            audience = default.audience or frozenset({self._account.fingerprint})
        self._audience = audience
        self._asked = bool(self._attaching) or (bool(words) and audience != self._before.audience)
        self._words = words or self._named(audience)
        say(f"For {clean(audience_words(self._keyring, audience, self._account.fingerprint))}.")
        desk = self._desk()
        with desk.keeping():
            done = self._run_text(desk) if self._before.document is None else self._run_document(desk)
            desk.done()
        if done is not None and self._resumed is not None:
            remove_draft(self._account, *self._resumed)
        return done

    def _desk(self) -> Desk:
        from mau.writing.drafts import keep_text

        base = self._before.sha256
        instead = None if self._resumed is None else self._resumed[0]

        def keep(text: bytes) -> Draft:
            return keep_text(self._account, self._stem, self._form, text, base=base, instead=instead)

        return Desk(self._session, keep, insecure=self._insecure)

    # --- a document ----------------------------------------------------------------------------------------

    def _run_document(self, desk: Desk) -> Published | None:
        from mau.content.kinds import kind_of
        from mau.writing.composing import read_written, says_nothing

        form, document, name = self._form, self._before.document or {}, self._before.name

        def read(text: str) -> tuple[Written, Audience]:
            me, refer = self._account.fingerprint, referring(self._session)
            written = read_written(text, form, me, kind_of(document), document, refer=refer)
            if written.name not in {"", name, name.removesuffix(".pgp")}:
                raise UsageError("a post keeps its name; `mau new` makes another post")
            return written, self._chosen(written)

        start = self._page(document)
        made = desk.write(
            start,
            f".{form}",
            read,
            empty=lambda text: says_nothing(text, form, "" if self._asked else start),
            begin=self._begin,
            as_it_is=self._asked,
        )
        return None if made is None else self._publish(*made)

    def _page(self, document: dict[str, Any]) -> str:
        from mau.content.frontmatter import hidden_words, page_of
        from mau.writing.composing import raw_page

        if self._form == "json":
            return raw_page(document)
        kept = ", ".join(hidden_words(document))
        way = "empty it" if self._asked else "leave it as it is, or empty it"
        notes = [f"{self._before.name}; {way}, and nothing is published"]
        if self._left_out:
            notes.append(self._left_out)
        if kept:
            notes.append(f"Not shown, and kept as it is (--raw shows it): {kept}")
        return page_of(document, envelope={"for": self._words}, notes=notes)

    def _named(self, audience: Audience) -> list[str]:
        from mau.writing.audiences import audience_as_words

        return audience_as_words(self._keyring, audience)

    def _chosen(self, written: Written) -> Audience:
        """For whom: as before, unless the text says it otherwise now."""
        said, stated = audience_of_written(self._keyring, written), written.stated
        if stated is not None:
            return self._audience if stated == self._before.audience else stated
        if not written.audience or list(written.audience) == self._words:
            return self._audience
        return said or self._audience

    def _publish(self, written: Written, audience: Audience) -> Published | None:
        from mau.attachments import rewrite_for, with_media
        from mau.writing.composing import restamped
        from mau.writing.revising import publish_revision

        before, document = self._before, written.document
        attaching = with_attached(self._attaching, written.attach, Path.cwd())
        if document == before.document and audience == before.audience and not attaching:
            say("It says the same as before, so nothing is published.")
            return None
        if before.plain:
            document = restamped(document, datetime.now(UTC), before.document)
        with attached_media(self._session, attaching, audience) as media:
            if audience != before.audience:
                document = rewrite_for(self._account, self._keyring, document, audience)
            try:
                return publish_revision(
                    self._account, self._keyring, before, with_media(document, media), audience
                )
            except TreeChanged:
                theirs, merged = self._merged(document)
                if audience == before.audience:  # not changed here, so theirs counts
                    audience = theirs.audience
                merged = with_media(rewrite_for(self._account, self._keyring, merged, audience), media)
                return publish_revision(self._account, self._keyring, theirs, merged, audience)

    def _merged(self, mine: dict[str, Any]) -> tuple[Original, dict[str, Any]]:
        """What is there now, and what both changed; TreeChanged when the person must choose, and says no."""
        from mau.writing.merging import merged
        from mau.writing.revising import original

        theirs = original(self._account, self._keyring, self._before.name)
        say(f"{self._before.name} was changed by another program or device while you edited it.")
        if theirs.document is None:
            raise TreeChanged("it is no document any more")
        both, clashes = merged(self._before.document or {}, mine, theirs.document)
        if not clashes:
            say("Your changes are put into what it says now.")
            return theirs, both
        words = ", ".join(clean(word) for word in clashes)
        self._decide(f"Both of you changed: {words}. Put yours there? The other is kept as a version.")
        return theirs, both

    def _decide(self, question: str) -> None:
        if not self._session.interactive:
            raise TreeChanged(f"{self._before.name} was changed meanwhile; nothing was published")
        if not click.confirm(question, default=False, err=True):
            raise TreeChanged("nothing was published")

    # --- a text --------------------------------------------------------------------------------------------

    def _run_text(self, desk: Desk) -> Published | None:
        from mau.writing.revising import original, publish_revision

        before = self._before
        if self._attaching:
            raise UsageError("a file has no attachments")
        text = before.data.decode()
        made = desk.write(
            text,
            before.suffix,
            str,
            empty=lambda text: not text,
            begin=self._begin,
            as_it_is=self._asked,
        )
        if made is None:
            return None
        content = made.encode()
        try:
            return publish_revision(self._account, self._keyring, before, content, self._audience)
        except TreeChanged:
            say(f"{before.name} was changed by another program or device while you edited it.")
            self._decide("Put yours there? The other is kept as a version.")
            theirs = original(self._account, self._keyring, before.name)
            return publish_revision(self._account, self._keyring, theirs, content, self._audience)
