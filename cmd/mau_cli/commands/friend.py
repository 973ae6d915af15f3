"""`mau friend`: add, list, show, confirm and remove friends."""

from __future__ import annotations

import click

from mau.errors import UsageError
from mau_cli.context import Session
from mau_cli.output import clean, emit_json, say, table


@click.group("friend")
def command() -> None:
    """Add, confirm, show and remove friends.

    A friend is whose key you confirmed; only friends can be written to as "friends" or put into groups.
    """


# --- add ---------------------------------------------------------------------------------------------------


@command.command("add")
@click.argument("key", metavar="KEYFILE|FPR|LINK")
@click.option("--at", metavar="HOST:PORT", multiple=True, help="Fetch the key there; remembered once proven.")
@click.option("--via", metavar="FRIEND", help="Fetch the key from FRIEND, to verify with (--known).")
@click.option("--as", "local_name", metavar="NAME", help="What you call this person; nobody else sees it.")
@click.option("--group", "groups", metavar="GROUP", multiple=True, help="Also put them into this group.")
@click.option("--known", is_flag=True, help="Only hold the key to verify with: no friend, no group.")
@click.option("--no-follow", is_flag=True, help="Do not follow their posts.")
@click.option("--yes", is_flag=True, help="Ask nothing.")
@click.pass_obj
def add(
    session: Session,
    key: str,
    at: tuple[str, ...],
    via: str | None,
    local_name: str | None,
    groups: tuple[str, ...],
    known: bool,
    no_follow: bool,
    yes: bool,
) -> None:
    """Add the person whose public key is in KEYFILE (armored or binary; - is standard input).

    Or say the fingerprint FPR, in digits or in its fifteen words: the key is fetched from its owner, who must
    prove to be that, or with --via from a friend of yours who holds posts of theirs.

    Or give the LINK that `mau invite` printed for you. It says where they are, and they are asked to take
    you as a friend as well.

    Compare the fingerprint, or its words, with what the person tells you by another way than the one the key
    came by. A newer copy of a key that you hold already is taken in; name and groups stay.
    """
    from mau.keyring import describe_changes
    from mau_cli.confirming import choose_local_name, say_contested
    from mau_cli.keysource import obtain_key
    from mau_cli.linked import finish, link_in, say_claim
    from mau_cli.people import say_key

    link = link_in(key)
    known = known or via is not None
    if known and groups:
        raise UsageError("a key that is only known (--known, --via) is in no group")
    keyring = session.keyring()
    certificate, introduction = obtain_key(session, keyring, key, at, via, link)
    keyring.check(certificate, known=known)
    held = keyring.person(certificate.fingerprint)
    if link is not None:
        say_claim(link)
    say_key(certificate)
    was_friend = keyring.is_friend(certificate.fingerprint)
    if held is not None and held.confirmed:
        merged = held.certificate.merge(certificate)
        changes = describe_changes(held.certificate, merged)
        say(f"You hold this key already, as {held.local_name!r}.")
        for change in changes or ["this copy brings nothing new"]:
            say(f"  {change}")
        local_name = local_name or held.local_name
    else:
        if not yes:
            say("Compare the fingerprint, or its words, with what they tell you by another way.")
        local_name = choose_local_name(session, keyring, certificate, local_name, yes=yes)
    if not session.confirm(f"{'Keep the key of' if known else 'Take as a friend'}: {local_name!r}?", yes=yes):
        raise click.Abort
    person = keyring.add(certificate, local_name, groups, known=known)
    if introduction is not None:
        introduction.remember(session.root)
    if person.status == "friend" and not was_friend and not no_follow:
        session.root.follow(person.fingerprint)
        say(f"{person.local_name!r} is a friend, and you follow them.")
    else:
        status = "a friend" if person.status == "friend" else "known, to verify with"
        say(f"{person.local_name!r} is {status}.")
    say_contested(keyring, certificate.fingerprint)
    if link is not None and introduction is not None and person.status == "friend" and not known:
        finish(session, link, introduction)


# --- list, show --------------------------------------------------------------------------------------------


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Show it as JSON.")
@click.pass_obj
def list_(session: Session, as_json: bool) -> None:
    """List friends, known keys, and key files that you never confirmed."""
    from mau_cli.people import (
        difference_facts,
        grouped,
        key_marks,
        person_facts,
        say_differences,
        suspect_keyring,
        user_id,
    )

    keyring = suspect_keyring(session)
    people, differences = keyring.people(), keyring.differences()
    if as_json:
        emit_json(
            {
                "problem": str(keyring.problem) if keyring.problem else None,
                "people": [person_facts(person) for person in people],
                "differences": [difference_facts(difference) for difference in differences],
            }
        )
        return
    rows = []
    for person in people:
        marks = key_marks(person)
        state = person.status + (f" ({marks})" if marks else "")
        rows.append(
            (person.local_name, person.fingerprint, state, grouped(person), user_id(person.certificate))
        )
    table(rows, ("name", "fingerprint", "status", "groups", "calls itself"))
    if not people:
        say("Nobody yet; `mau friend add KEYFILE` adds somebody.")
    unsettled = keyring.unsettled()
    if unsettled:
        say("Not as you confirmed it (`mau friend confirm`):")
        say_differences(unsettled)


@command.command("show")
@click.argument("who")
@click.option("--json", "as_json", is_flag=True, help="Show it as JSON.")
@click.pass_obj
def show(session: Session, who: str, as_json: bool) -> None:
    """Show what is known of WHO: key, groups, what differs from what you confirmed."""
    from mau_cli.people import (
        difference_facts,
        expires_soon,
        grouped,
        key_problem,
        moment,
        person_facts,
        say_differences,
        suspect_keyring,
    )

    keyring = suspect_keyring(session)
    person = keyring.resolve(who)
    following = person.fingerprint in session.root.follows(keyring.me.fingerprint)
    differences = [d for d in keyring.differences() if d.fingerprint == person.fingerprint]
    if as_json:
        emit_json(
            person_facts(person)
            | {
                "following": following,
                "differences": [difference_facts(difference) for difference in differences],
            }
        )
        return
    certificate = person.certificate
    expires = moment(certificate.expires) or "never"
    rows = [("name", person.local_name), ("fingerprint", person.fingerprint)]
    rows += [("words", " ".join(person.fingerprint.words)), ("status", person.status)]
    rows += [("groups", grouped(person))] if person.groups else []
    rows += [("calls itself", user_id) for user_id in certificate.user_ids]
    rows += [
        ("algorithm", certificate.algorithm),
        ("created", moment(certificate.created)),
        ("expires", expires),
    ]
    rows += [("following", "yes" if following else "no")]
    problem = key_problem(certificate)
    rows += [("problem", problem)] if problem else []
    table(rows)
    if expires_soon(certificate):
        say("The key expires soon; its owner can extend it with `mau key extend`.")
    if differences:
        say("Not as you confirmed it:")
        say_differences(differences)
    if person.status in ("friend", "known"):
        from mau_cli.confirming import say_contested

        say_contested(keyring, person.fingerprint)


# --- confirm -----------------------------------------------------------------------------------------------


@command.command("confirm")
@click.argument("who", required=False)
@click.option("--all", "everybody", is_flag=True, help="Everything that differs, after listing it.")
@click.option("--as", "local_name", metavar="NAME", help="What you call this person from now on.")
@click.option("--yes", is_flag=True, help="Ask nothing.")
@click.pass_obj
def confirm(session: Session, who: str | None, everybody: bool, local_name: str | None, yes: bool) -> None:
    """Make true what the key files of WHO say: as a friend, in groups, gone; or rename WHO with --as.

    A key file that another program put there, or that came with an old backup, makes nobody a friend until
    you say so here. The same goes for what somebody's key came to say later: another user id, another key to
    encrypt to.
    """
    from mau_cli.confirming import confirm_differences, confirm_one
    from mau_cli.people import suspect_keyring

    if everybody == (who is not None) or (everybody and local_name is not None):
        raise UsageError("say either WHO (and --as NAME for another name), or --all")
    keyring = suspect_keyring(session)
    if who is None:
        confirm_differences(session, keyring, keyring.unsettled(), yes=yes)
    else:
        confirm_one(session, keyring, keyring.resolve_difference(who), local_name, yes=yes)


# --- refresh -----------------------------------------------------------------------------------------------


@command.command("refresh")
@click.argument("who", required=False)
@click.option("--at", metavar="HOST:PORT", multiple=True, help="Ask there; remembered once proven.")
@click.option("--via", metavar="FRIEND", help="Ask FRIEND, who holds posts of WHO.")
@click.option("--json", "as_json", is_flag=True, help="Print what came of it as JSON.")
@click.pass_obj
def refresh(session: Session, who: str | None, at: tuple[str, ...], via: str | None, as_json: bool) -> None:
    """Ask WHO, or everybody whose address is known, for a newer copy of their key.

    `mau sync` and `mau up` do so every few minutes. Only what the key itself signed is taken. Revocations and
    expiry count at once; new user ids and new keys to encrypt to wait for `mau friend confirm`.
    """
    from mau_cli.refreshing import refresh_all, refresh_one

    if who is None:
        if at or via:
            raise UsageError("--at and --via need WHO: whose key is it?")
        refresh_all(session, as_json=as_json)
    else:
        refresh_one(session, who, at, via, as_json=as_json)


# --- remove ------------------------------------------------------------------------------------------------


@command.command("remove")
@click.argument("who")
@click.option("--yes", is_flag=True, help="Ask nothing.")
@click.pass_obj
def remove(session: Session, who: str, yes: bool) -> None:
    """Forget the key of WHO in all groups and follow WHO no longer. Posts that are held stay, hidden."""
    from mau_cli.people import suspect_keyring

    keyring = suspect_keyring(session)
    fingerprint = keyring.resolve_difference(who)
    person = keyring.person(fingerprint)
    if person is keyring.me:
        raise UsageError("that is you")
    name = clean(person.label if person else fingerprint.hex)
    say(f"{name} ({fingerprint}): the key goes, from all groups too; their posts stay in the tree, hidden.")
    say("What you sent them they keep. Without the key, posts of theirs that arrive later cannot be checked.")
    if not session.confirm(f"Remove {name!r}?", yes=yes):
        raise click.Abort
    keyring.remove(fingerprint)
    session.root.unfollow(fingerprint)
    say(f"{name} is removed.")
