"""`mau group`: which friends belong together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mau.errors import UsageError
from mau_cli.context import Session
from mau_cli.output import emit_json, say, table

if TYPE_CHECKING:
    from mau.keyring import Keyring


@click.group("group")
def command() -> None:
    """Put friends into groups, to be written to as @GROUP. Groups nest: @work reaches @work/team too."""


@command.command("add")
@click.argument("group")
@click.argument("who", nargs=-1, required=True)
@click.pass_obj
def add(session: Session, group: str, who: tuple[str, ...]) -> None:
    """Put WHO into GROUP; both may be written with @, WHO is then everybody in that group."""
    keyring = session.keyring()
    people = keyring.audience(who)
    keyring.group_add(group, people)
    _say_members(keyring, group)


@command.command("list")
@click.argument("group", required=False)
@click.option("--json", "as_json", is_flag=True, help="Show it as JSON.")
@click.pass_obj
def list_(session: Session, group: str | None, as_json: bool) -> None:
    """List the groups (or one) with their members, those of the groups inside them too."""
    from mau_cli.people import difference_facts, say_differences, suspect_keyring

    keyring = suspect_keyring(session)
    groups = keyring.groups() if group is None else [keyring.group(group)]
    differences = [
        d for d in keyring.differences() if any(f"{d.group}/".startswith(f"{name}/") for name in groups)
    ]
    members = {name: keyring.members(name) for name in groups}
    if as_json:
        emit_json(
            {
                "groups": [
                    {
                        "group": name,
                        "members": [{"fingerprint": p.fingerprint, "name": p.local_name} for p in people],
                    }
                    for name, people in members.items()
                ],
                "differences": [difference_facts(difference) for difference in differences],
            }
        )
        return
    table(
        [(f"@{name}", ", ".join(person.local_name for person in people)) for name, people in members.items()],
        ("group", "members"),
    )
    if not groups:
        say("No groups yet; `mau group add GROUP WHO...` makes one.")
    if differences:
        say("Not as you confirmed it (`mau group confirm`):")
        say_differences(differences)


@command.command("confirm")
@click.argument("group")
@click.option("--yes", is_flag=True, help="Ask nothing.")
@click.pass_obj
def confirm(session: Session, group: str, yes: bool) -> None:
    """Make true what the key files in GROUP say, after listing it."""
    from mau_cli.confirming import confirm_differences
    from mau_cli.people import suspect_keyring

    keyring = suspect_keyring(session)
    name = keyring.group(group)
    differences = [d for d in keyring.differences() if f"{d.group}/".startswith(f"{name}/")]
    confirm_differences(session, keyring, differences, yes=yes)


@command.command("remove")
@click.argument("group")
@click.argument("who", nargs=-1)
@click.option("--yes", is_flag=True, help="Ask nothing.")
@click.pass_obj
def remove(session: Session, group: str, who: tuple[str, ...], yes: bool) -> None:
    """Take WHO out of GROUP and the groups inside it; without WHO, remove GROUP itself. All stay friends."""
    keyring = session.keyring()
    name = keyring.group(group)
    if who:
        people = [keyring.resolve(word) for word in who]
        strangers = [person.label for person in people if person not in keyring.members(name)]
        if strangers:
            raise UsageError(f"not in {name!r}: {', '.join(map(repr, strangers))}")
        keyring.group_remove(name, people)
        _say_members(keyring, name)
        return
    names = ", ".join(repr(person.local_name) for person in keyring.members(name)) or "nobody"
    if not session.confirm(f"Remove the group {'@' + name!r} with {names} in it? All stay friends.", yes=yes):
        raise click.Abort
    keyring.group_remove(name)
    say(f"{'@' + name!r} is removed.")


def _say_members(keyring: Keyring, group: str) -> None:
    name = keyring.group(group)
    say(f"@{name}: {', '.join(person.local_name for person in keyring.members(name)) or 'nobody'}")
