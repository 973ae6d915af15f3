"""`mau drafts`: what is not published yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mau.errors import MauError
from mau_cli.context import Session
from mau_cli.output import data, emit_json, say, table

if TYPE_CHECKING:
    from mau.account import Account
    from mau.writing.drafts import Draft


@click.command("drafts")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Show them as JSON.")
@click.pass_obj
def command(session: Session, name: str | None, as_json: bool) -> None:
    """List your drafts, or print the draft NAME.

    Drafts are files NAME.md and NAME.json beside your posts; any editor writes them, and they never leave.
    NAME.md.gpg is a text that could not be published, encrypted for you alone.
    """
    from mau.writing.drafts import drafts, find_draft, read_draft
    from mau_cli.posts import local_time, size_words

    account = session.account()
    if name is not None:
        draft = find_draft(account, name)
        text = read_draft(account, draft).text
        if as_json:
            emit_json({**_facts(account, draft), "text": text})
        else:
            data(text.removesuffix("\n"))
        return
    held = drafts(account)
    if as_json:
        emit_json([_facts(account, draft) for draft in held])
        return
    if not held:
        say("There are no drafts. `mau new --draft` writes one, and so does any editor.")
    table(
        (draft.file, local_time(draft.mtime), size_words(draft.size), _words(_said(account, draft)))
        for draft in held
    )


def _said(account: Account, draft: Draft) -> dict[str, Any]:
    """Type, title and audience as the draft says them, as far as it can be read already."""
    from mau.content.frontmatter import AUDIENCE, read_page
    from mau.content.jsonld import parse
    from mau.content.posting import text_of, type_of
    from mau.writing.drafts import read_draft

    try:
        text = read_draft(account, draft).text
        if draft.form == "json":
            document = parse(text.encode()) or {}
            return {"type": type_of(document), "title": text_of(document)[:80], "for": []}
        page = read_page(text)
        people = [word for key in AUDIENCE for word in page.listed(key)]
        title = page.meta.get("title")
        return {
            "type": page.text("type"),
            "title": title if isinstance(title, str) else page.body[:80],
            "for": people,
        }
    except MauError as error:
        return {"type": "", "title": "", "for": [], "problem": str(error)}


def _words(said: dict[str, Any]) -> str:
    if "problem" in said:
        return f"({said['problem']})".replace("\n", " ")
    audience = f"for {', '.join(said['for'])}" if said["for"] else ""
    return "  ".join(filter(None, (said["type"], " ".join(said["title"].split())[:60], audience)))


def _facts(account: Account, draft: Draft) -> dict[str, Any]:
    from mau.writing.composing import moment_of

    return {
        "name": draft.name,
        "file": draft.file,
        "encrypted": draft.kept,
        "size": draft.size,
        "changed": moment_of(draft.mtime),
        **_said(account, draft),
    }
