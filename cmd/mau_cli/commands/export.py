"""`mau export`: the public key, for friends to add; or a post, for mail and other programs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mau.errors import NoAccount
from mau_cli.context import Session
from mau_cli.output import data, raw, say
from mau_cli.saving import save

if TYPE_CHECKING:
    from mau.openpgp import Certificate


@click.command("export")
@click.argument("ref", required=False)
@click.option(
    "--as",
    "form",
    type=click.Choice(("armor", "eml", "markdown", "html", "json")),
    help="Of a post: armored, or as a mail, as it is encrypted; opened as Markdown, a page, or its JSON.",
)
@click.option(
    "--with-media", is_flag=True, help="Of a page: put the pictures and sounds of the post into it."
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    help="Write to this file instead of standard output.",
)
@click.option("--force", is_flag=True, help="Let the file be replaced.")
@click.option(
    "--copy",
    is_flag=True,
    help="Take the copy that lies beside the account, without its passphrase. Compare its fingerprint.",
)
@click.option("--binary", is_flag=True, help="Write the bytes of the key, not ASCII armor.")
@click.pass_obj
def command(
    session: Session,
    ref: str | None,
    form: str | None,
    with_media: bool,
    output: Path | None,
    force: bool,
    binary: bool,
    copy: bool,
) -> None:
    """Write out the public key, for friends to add; with REF, a post.

    The words that it says beside the key are its fingerprint: tell them to your friends by another way than
    the one that the key goes, to compare.

    A post is written armored unless --as says otherwise. Armored and as a mail it stays encrypted for those
    whom it is for, and any OpenPGP program opens it; the other forms can be read by whoever gets them.
    """
    if ref is None:
        if form is not None or with_media:
            raise click.UsageError("--as and --with-media are for a post; say which.")
        _export_key(session, output, binary=binary, copy=copy, force=force)
        return
    if binary or copy:
        raise click.UsageError("--binary and --copy are for the key; a post is a file already.")
    if with_media and form != "html":
        raise click.UsageError("--with-media goes with --as html.")
    _check_place(session, output)
    from mau_cli.exporting import export_post

    export_post(session, ref, form or "armor", output, with_media=with_media, force=force)


def _export_key(session: Session, output: Path | None, *, binary: bool, copy: bool, force: bool) -> None:
    to_stdout = output is None or str(output) == "-"
    if binary and to_stdout and sys.stdout.isatty():
        raise click.UsageError("A binary key on a terminal helps nobody; say -o FILE.")
    _check_place(session, output)
    certificate = _copy(session) if copy else session.account().certificate
    if output is not None and not to_stdout:
        content = bytes(certificate) if binary else certificate.armored().encode("ascii")
        save(output, content, force, mode=0o666)  # it is for everybody; the umask decides
        say(f"The public key of {certificate.fingerprint.hex} is in {str(output)!r}.")
    elif binary:
        raw(bytes(certificate))
    else:
        data(certificate.armored().rstrip("\n"))
    say("In words: " + " ".join(certificate.fingerprint.words))


def _check_place(session: Session, output: Path | None) -> None:
    if output is not None and session.root.mau.resolve() in output.resolve().parents:
        raise click.UsageError("Only the account and the keys of friends may lie in .mau; say another place.")


def _copy(session: Session) -> Certificate:
    from mau.account import Account
    from mau.ownkey import read

    Account.require(session.root)
    certificate = read(session.root.certificate_file)
    if certificate is None:
        raise NoAccount("no copy of the public key lies beside the account; leave --copy out")
    return certificate
