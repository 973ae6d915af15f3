"""`mau edit`: a post of one's own, or a draft, in one's own editor."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import click

from mau.errors import NoSuchPost, UsageError
from mau_cli.attaching import Attaching, attach_options
from mau_cli.audience import audience_options, choose_audience
from mau_cli.context import Session
from mau_cli.revising import Revision
from mau_cli.writing import Desk, insecure_option, option_words, tell_draft

if TYPE_CHECKING:
    from mau.writing.drafts import Draft


@click.command("edit")
@click.argument("name")
@audience_options
@attach_options
@click.option("--raw", is_flag=True, help="Edit the document itself, in JSON.")
@insecure_option
@click.option("--json", "as_json", is_flag=True, help="Show what was stored as JSON.")
@click.pass_obj
def command(
    session: Session,
    name: str,
    to: tuple[str, ...],
    friends: bool,
    me: bool,
    public: bool,
    raw: bool,
    insecure: bool,
    as_json: bool,
    attaching: Attaching,
) -> None:
    """Edit your post NAME, or the draft of that name, in your editor.

    The editor is $MAU_EDITOR, $VISUAL or $EDITOR. The text is decrypted into memory only, and gone from there
    afterwards. The post stays for those who can read it now, as far as they can still be written to; another
    audience can be written into the page, or said with --to, --friends, --me or --public. What it said before
    is kept as a version. Leave the text as it is, or empty it, and nothing is published; left as it is, it is
    published for another audience, or with other files, when an option asks for that.
    """
    words = option_words(to=to, friends=friends, me=me, public=public)
    found = _own_post(session, name)
    if found is None:
        _edit_draft(session, name, insecure=insecure, as_json=as_json)
        return
    said = choose_audience(session, to=to, friends=friends, me=me, public=public) if words else None
    done = Revision(session, found, attaching, raw=raw, insecure=insecure).run(said, words)
    if done is None:
        return
    from mau_cli.published import tell

    tell(session.keyring(), done, as_json=as_json)


def _own_post(session: Session, name: str) -> str | None:
    """The whole name of the post of one's own that is meant; None when it is a draft.

    A draft that is called so goes before a post that only begins so.
    """
    from mau.writing.drafts import find_draft
    from mau_cli.posts import find_name, find_post, resolve_ref

    keyring = session.keyring()
    if "/" in name:
        found = resolve_ref(session, keyring, name)
        if found.author != keyring.me.fingerprint:
            raise UsageError("that is somebody else's post; `mau reply` answers it")
        return found.name
    posts = session.account().posts()
    for whole in (name, f"{name}.json"):
        if (same := find_name(posts, whole, exact=True)) is not None:
            return same
    with suppress(NoSuchPost):
        find_draft(session.account(), name)
        return None
    try:
        return find_post(session, keyring, "me", name)[0].name
    except NoSuchPost:
        raise NoSuchPost(f"you have no post and no draft {name!r}; `mau files me` lists your posts") from None


# --- a draft -----------------------------------------------------------------------------------------------


def _edit_draft(session: Session, name: str, *, insecure: bool, as_json: bool) -> None:
    """Edit a draft; it stays one."""
    from mau.writing.drafts import find_draft, keep_text, read_draft, rewrite_draft

    account = session.account()
    draft = find_draft(account, name)
    before = read_draft(account, draft)
    if draft.change_of:
        raise UsageError(f"that is a change of a post; `mau edit {draft.change_of}` goes on with it")

    def store(text: str) -> Draft:
        return rewrite_draft(account, draft, before, text)

    aside = f"{draft.name}.aside"
    desk = Desk(session, lambda text: keep_text(account, aside, draft.form, text), insecure=insecure)
    with desk.keeping():
        made = desk.write(before.text, f".{draft.form}", str, empty=lambda text: not text.strip())
        if made is None:
            return
        stored = store(made)
        desk.done()
    tell_draft(stored, as_json=as_json)
