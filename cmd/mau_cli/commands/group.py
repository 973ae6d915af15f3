"""`mau group`: which friends belong together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mau.errors import UsageError
from mau_cli.context import Session
from mau_cli.output import clean, emit_json, say, table

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
    """Put WHO into GROUP; both may be written with @, WHO is then everybody in that group.

    When you share the group, its new list is published.
    """
    from mau_cli.shared import check_mine, publish_change

    keyring = session.keyring()
    people = keyring.audience(who)
    check_mine(session, group.removeprefix("@"))
    keyring.group_add(group, people)
    _say_members(keyring, group)
    publish_change(session, keyring, keyring.group(group))


@command.command("list")
@click.argument("group", required=False)
@click.option("--json", "as_json", is_flag=True, help="Show it as JSON.")
@click.pass_obj
def list_(session: Session, group: str | None, as_json: bool) -> None:
    """List the groups (or one) with their members, those of the groups inside them too.

    A group that was joined is first brought to what its owner's newest list says.
    """
    from mau.groups.following import bindings_file
    from mau_cli.people import difference_facts, say_differences, suspect_keyring
    from mau_cli.shared import binding_facts, follow_shared, say_members, shared_words

    keyring = suspect_keyring(session)
    followed = {} if keyring.problem else {f.binding.group: f for f in follow_shared(session, keyring)}
    bindings = {one.group: one for one in bindings_file(session.account()).read().value}
    groups = keyring.groups() if group is None else [_bound(session, keyring, group)]
    differences = [
        d for d in keyring.differences() if any(f"{d.group}/".startswith(f"{name}/") for name in groups)
    ]
    if group is None:
        groups = sorted({*groups, *bindings})  # nobody need be in one that was joined
    members = {name: keyring.members(name) for name in groups}
    if as_json:
        emit_json(
            {
                "groups": [
                    {
                        "group": name,
                        "members": [{"fingerprint": p.fingerprint, "name": p.local_name} for p in people],
                        "shared": binding_facts(session, keyring, bindings.get(name), followed.get(name)),
                    }
                    for name, people in members.items()
                ],
                "differences": [difference_facts(difference) for difference in differences],
            }
        )
        return
    shared = {
        name: shared_words(session, keyring, binding, followed.get(name))
        for name, binding in bindings.items()
    }
    table(
        [
            (f"@{name}", ", ".join(person.local_name for person in people), shared.get(name, ""))
            for name, people in members.items()
        ],
        ("group", "members", "shared" if shared else ""),
    )
    if group is not None and groups[0] in followed:
        say_members(keyring, bindings[groups[0]], followed[groups[0]].listed)
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
    """Take WHO out of GROUP and the groups inside it; without WHO, remove GROUP itself. All stay friends.

    When you share the group, its new list is published, and who went is told; with the group the list goes.
    """
    from mau.groups.following import leave
    from mau.groups.sharing import end_sharing
    from mau_cli.shared import check_mine, publish_change

    keyring = session.keyring()
    name = keyring.group(group)
    if who:
        check_mine(session, name)
        people = [keyring.resolve(word) for word in who]
        strangers = [person.label for person in people if person not in keyring.members(name)]
        if strangers:
            raise UsageError(f"not in {name!r}: {', '.join(map(repr, strangers))}")
        keyring.group_remove(name, people)
        _say_members(keyring, name)
        publish_change(session, keyring, name)
        return
    names = ", ".join(repr(person.local_name) for person in keyring.members(name)) or "nobody"
    if not session.confirm(f"Remove the group {'@' + name!r} with {names} in it? All stay friends.", yes=yes):
        raise click.Abort
    if end_sharing(session.account(), keyring, name):
        say("Its list is taken back.")
    elif leave(session.account(), name):
        say("It follows no list any more.")
    keyring.group_remove(name)
    say(f"{'@' + name!r} is removed.")


def _say_members(keyring: Keyring, group: str) -> None:
    name = keyring.group(group)
    say(f"@{name}: {', '.join(person.local_name for person in keyring.members(name)) or 'nobody'}")


# --- shared with its members -------------------------------------------------------------------------------


@command.command("share")
@click.argument("group")
@click.option("--end", is_flag=True, help="Take the list back: the group is yours alone again.")
@click.option("--yes", is_flag=True, help="Ask nothing.")
@click.pass_obj
def share(session: Session, group: str, end: bool, yes: bool) -> None:
    """Publish who is in GROUP to those who are, so that all of them can write to the same people.

    Each member sees who the others are, what their keys call them, and their keys. Whenever you change the
    group the list is published anew; who is taken out is told that it is gone.
    """
    from mau.groups.sharing import end_sharing, shared_as
    from mau.groups.sharing import share as publish
    from mau_cli.shared import say_shared

    keyring = session.keyring()
    name = keyring.group(group)
    if end:
        done = end_sharing(session.account(), keyring, name)
        say("The list is taken back; those who joined are told." if done else "It is not shared.")
        return
    people = keyring.members(name)
    if shared_as(session.account(), name) is None:
        names = ", ".join(person.label for person in people) or "nobody yet"
        if not session.confirm(f"Show each member of {'@' + name!r} who is in it: {names}?", yes=yes):
            raise click.Abort
    say_shared(keyring, publish(session.account(), keyring, name))


@command.command("join")
@click.argument("ref", metavar="REF")
@click.option("--as", "called", metavar="NAME", help="What the group is called here.")
@click.option("--yes", is_flag=True, help="Ask nothing.")
@click.pass_obj
def join(session: Session, ref: str, called: str | None, yes: bool) -> None:
    """Let a group here follow the list that the post REF is.

    From then on its owner says who gets what you write to that group, as far as they are friends of yours:
    nobody else is ever written to. `mau group list` shows who is in it, `mau group leave` ends it.
    """
    from mau.content.address import Address
    from mau.errors import NoSuchPost
    from mau.groups.following import find_list
    from mau.groups.following import join as adopt
    from mau_cli.audience import called as name_of
    from mau_cli.posts import resolve_ref
    from mau_cli.shared import say_changes, say_members

    keyring, account = session.keyring(), session.account()
    meant = resolve_ref(session, keyring, ref)
    found = find_list(account, keyring, meant.author, meant.name)
    if found.listed is None:
        raise NoSuchPost(
            f"{meant.name} is no list that can be joined{': ' * bool(found.reason)}{found.reason}"
        )
    owner = name_of(keyring, meant.author)
    say(
        f"The list of {clean(found.listed.name)!r} by {clean(owner)} has {len(found.listed.members)} members:"
    )
    for fingerprint, member in found.listed.members.items():
        person = keyring.person(fingerprint)
        status = "no key of theirs is held" if person is None else person.status
        label = fingerprint.hex if person is None else name_of(keyring, fingerprint)
        say(f"  {clean(label)}  {status}  {clean(member.name)}")
    question = f"Let {owner} say who gets what you write to that group, as far as they are your friends?"
    if not session.confirm(question, yes=yes):
        raise click.Abort
    done = adopt(account, keyring, Address(meant.author, meant.name), called)
    say(f"@{clean(done.binding.group)} follows the list of {clean(owner)}.")
    say_changes(keyring, done)
    say_members(keyring, done.binding, done.listed)


@command.command("leave")
@click.argument("group")
@click.pass_obj
def leave(session: Session, group: str) -> None:
    """Let GROUP follow no list any more: it becomes a group of yours, with those who are in it now."""
    from mau.groups.following import leave as part

    name = _bound(session, session.keyring(), group)
    done = part(session.account(), name)
    say(f"@{clean(name)} follows no list any more." if done else f"@{clean(name)} follows no list.")


@command.command("keys")
@click.argument("group")
@click.pass_obj
def keys(session: Session, group: str) -> None:
    """Hold the keys of those members of GROUP whom you do not know, to verify with.

    They come from the list, or from its owner. It makes nobody a friend: nothing is written to them before
    `mau friend add`.
    """
    from mau.errors import PartlyDone
    from mau.groups.following import bindings_file, find_list
    from mau.groups.keys import hold_keys
    from mau_cli.shared import fetch_missing

    keyring, account = session.keyring(), session.account()
    binding = bindings_file(account).read().value.of_group(_bound(session, keyring, group))
    if binding is None or binding.owner == account.fingerprint:
        raise UsageError("that group follows nobody's list")
    found = find_list(account, keyring, binding.owner, binding.name)
    if found.listed is None:
        raise UsageError("its list is not here; `mau sync` fetches it")
    done = hold_keys(keyring, found.listed)
    fetched, problems = fetch_missing(session, keyring, binding.owner, done.missing)
    for fingerprint in (*(one.fingerprint for one in done.held), *fetched):
        say(f"Held, to verify with: {fingerprint}; compare it before `mau friend add {fingerprint}`.")
    for fingerprint, problem in problems.items():
        say(f"Not held: {fingerprint}: {problem}.")
    if not done.held and not fetched and not problems:
        say("The keys of all its members are held.")
    if problems:
        raise PartlyDone("not all keys could be had")


def _bound(session: Session, keyring: Keyring, word: str) -> str:
    """The group that is meant, also one that nobody is in."""
    from mau.groups.following import bindings_file
    from mau.tree.names import fold

    wanted = fold(word.removeprefix("@"))
    for binding in bindings_file(session.account()).read().value:
        if fold(binding.group) == wanted:
            return binding.group
    return keyring.group(word)
