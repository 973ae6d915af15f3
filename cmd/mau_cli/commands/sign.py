"""`mau sign`: a post of mine that another program saved without a signature."""

from __future__ import annotations

import difflib
import json
from typing import TYPE_CHECKING

import click

from mau.errors import NoSuchPost
from mau_cli.context import Session
from mau_cli.output import say

if TYPE_CHECKING:
    from mau.adoption import Unsigned

_COMPARED = 256 << 10  # bytes: telling two larger ones apart takes too long


@click.command("sign")
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Sign without asking; never for more people than before.")
@click.option("--json", "as_json", is_flag=True, help="Show what was stored as JSON.")
@click.pass_obj
def command(session: Session, names: tuple[str, ...], yes: bool, as_json: bool) -> None:
    """Sign posts of yours that another program saved: an editor that encrypts and does not sign.

    Such a file is shown to nobody, and `mau status` names it: any program that can write here may have put it
    there. What changed is shown, and you are asked. A post that says it is for more people than before is
    signed only after a question of its own.
    """
    from mau.adoption import adopt, look
    from mau_cli.audience import audience_words
    from mau_cli.posts import find_name
    from mau_cli.published import tell

    account, keyring = session.account(), session.keyring()
    for name in names:
        found = find_name(account.posts(), name)
        if found is None:
            raise NoSuchPost(f"you have no post {name!r}")
        unsigned = look(account, keyring, found)
        _show(unsigned)
        whom = audience_words(keyring, unsigned.audience, account.fingerprint)
        if unsigned.wider:
            more = audience_words(keyring, unsigned.wider, account.fingerprint)
            sure = session.confirm(f"It was not for {more} before. Sign {found} for {whom}?")
        else:
            sure = session.confirm(f"Sign {found} for {whom}?", yes=yes)
        if sure:
            tell(keyring, adopt(account, keyring, unsigned), as_json=as_json)
        else:
            say(f"{found} stays unsigned, and is shown to nobody.")


def _show(unsigned: Unsigned) -> None:
    last = unsigned.before
    before = [] if last is None else _lines(last.opened.data, last.document)
    after = _lines(unsigned.data, unsigned.document)
    if len(unsigned.data) > _COMPARED:
        say(f"It has {len(unsigned.data)} bytes now; `mau open --anyway` shows them.")
        return
    changed = list(difflib.unified_diff(before, after, "signed", "saved", n=1, lineterm=""))
    for line in changed or ["Nothing in it changed but the signature that is missing."]:
        say(line)


def _lines(data: bytes | None, document: object) -> list[str]:
    if document is not None:
        return json.dumps(document, ensure_ascii=False, indent=1).splitlines()
    return (data or b"").decode("utf-8", "backslashreplace").splitlines()
