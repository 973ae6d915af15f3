"""The account: what is made, what opens, what is never overwritten."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pysequoia
import pytest

from mau.account import Account
from mau.errors import (
    AccountDamaged,
    AccountExists,
    MauError,
    NoAccount,
    NotAFile,
    PassphraseError,
    TreeChanged,
    UsageError,
    WrongPassphrase,
)
from mau.openpgp import SecretKey
from mau.tree.layout import Root
from mau.userid import check_email, check_name
from mau.wire.identity import fingerprint_of, self_signed

VECTORS = Path(__file__).parent.parent / "vectors"
PEOPLE = [(kind, name) for kind in ("v2-ed25519", "v2-rsa4096") for name in ("alice", "bob", "carol")]


@pytest.fixture(scope="session")
def key() -> SecretKey:
    return SecretKey.generate("Alice", "alice@example.org", created=1_700_000_000)


@pytest.fixture(scope="session")
def other_key() -> SecretKey:
    return SecretKey.generate("Bob", "bob@example.org")


@pytest.fixture
def root(tmp_path: Path) -> Root:
    return Root(tmp_path / "tree")


@pytest.fixture
def account(root: Root, key: SecretKey) -> Account:
    return Account.create(root, key, "old one")


def everything_below(path: Path) -> dict[str, bytes]:
    return {str(one.relative_to(path)): one.read_bytes() for one in sorted(path.rglob("*")) if one.is_file()}


# --- making ------------------------------------------------------------------------------------------------


def test_a_new_account_opens_again_as_the_same(root: Root, key: SecretKey, account: Account) -> None:
    again = Account.open(root, "old one")
    assert again.fingerprint == account.fingerprint == key.fingerprint
    assert (again.name, again.email) == ("Alice", "alice@example.org")
    assert bytes(again.certificate) == bytes(key.certificate)
    assert again.key.created == 1_700_000_000


def test_a_new_tree_is_for_its_owner_only_and_the_keys_directory_holds_only_the_account(
    root: Root, account: Account
) -> None:
    assert [one.name for one in root.mau.iterdir()] == ["account.pgp"]
    assert {one.name for one in root.path.iterdir()} == {
        ".mau",
        ".account",
        account.fingerprint.hex,
        f"revocation-{account.fingerprint.hex}.asc",
    }
    for one in [root.path, *root.path.rglob("*")]:
        assert stat.S_IMODE(one.stat().st_mode) == (0o700 if one.is_dir() else 0o600)


def test_the_revocation_certificate_explains_itself_and_revokes(account: Account) -> None:
    text = account.revocation_file.read_text()
    assert text.startswith("This is the revocation certificate of\n  Alice <alice@example.org>\n")
    assert account.fingerprint.hex in text
    assert not account.certificate.revoked
    armor = text[text.index("-----BEGIN") :].encode()
    packets = [*pysequoia.packet.PacketPile.from_bytes(bytes(account.certificate))]
    packets += [*pysequoia.packet.PacketPile.from_bytes(armor)]
    merged = pysequoia.Cert.from_bytes(b"".join(bytes(one.__bytes__()) for one in packets))
    assert merged.is_revoked


def test_an_account_is_never_overwritten(root: Root, account: Account, other_key: SecretKey) -> None:
    before = everything_below(root.path)
    with pytest.raises(AccountExists, match="never overwritten"):
        Account.create(root, other_key, "new one")
    assert everything_below(root.path) == before


@pytest.mark.parametrize("kind", ["broken link", "link", "directory", "pipe", "empty"])
def test_whatever_lies_at_the_place_of_the_account_stays(root: Root, key: SecretKey, kind: str) -> None:
    root.mau.mkdir(parents=True)
    elsewhere = root.path / "elsewhere"
    match kind:
        case "broken link":
            root.account_file.symlink_to(elsewhere)
        case "link":
            elsewhere.write_bytes(b"precious")
            root.account_file.symlink_to(elsewhere)
        case "directory":
            root.account_file.mkdir()
        case "pipe":
            os.mkfifo(root.account_file)
        case _:
            root.account_file.touch()
    before = root.account_file.lstat()
    with pytest.raises(AccountExists):
        Account.create(root, key, "one")
    after = root.account_file.lstat()
    assert (before.st_ino, before.st_mode, before.st_size) == (after.st_ino, after.st_mode, after.st_size)
    with pytest.raises(MauError):  # and it is opened as an account in no case, nor waited for
        Account.open(root, "one")
    assert not elsewhere.exists() or elsewhere.read_bytes() == b"precious"


def test_of_several_that_make_an_account_at_once_exactly_one_succeeds(root: Root) -> None:
    keys = [SecretKey.generate(f"P{number}", f"p{number}@example.org") for number in range(8)]
    start, made, refused = threading.Barrier(len(keys)), [], []

    def make(key: SecretKey) -> None:
        start.wait()
        try:
            made.append(Account.create(root, key, "one"))
        except AccountExists as error:
            refused.append(error)

    threads = [threading.Thread(target=make, args=(key,)) for key in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(made), len(refused)) == (1, 7)
    assert Account.open(root, "one").fingerprint == made[0].fingerprint


@pytest.mark.parametrize("bad", ["", "two\nlines", "a\x00b", "tab\t", "\x7f", "x" * 256, "é" * 128, "\ud800"])
def test_a_passphrase_that_protects_nothing_or_cannot_be_given_later_is_refused(
    root: Root, key: SecretKey, bad: str
) -> None:
    with pytest.raises(PassphraseError) as refusal:
        Account.create(root, key, bad)
    assert not root.path.exists()
    assert not bad or bad not in str(refusal.value)


def test_a_link_in_place_of_the_keys_directory_is_not_written_through(root: Root, key: SecretKey) -> None:
    elsewhere = root.path.parent / "elsewhere"
    elsewhere.mkdir()
    root.path.mkdir()
    root.mau.symlink_to(elsewhere)
    with pytest.raises(NotAFile):
        Account.create(root, key, "one")
    assert not list(elsewhere.iterdir())


# --- opening -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "name"), PEOPLE)
def test_accounts_of_the_reference_open(kind: str, name: str) -> None:
    account = Account.open(Root(VECTORS / kind / "accounts" / name), f"{name}-pass")
    assert account.fingerprint.hex == (VECTORS / kind / "keys" / f"{name}.fpr").read_text().strip()
    assert account.certificate.algorithm == {"v2-ed25519": "Ed25519", "v2-rsa4096": "RSA-4096"}[kind]
    assert account.name.lower().startswith(name)


@pytest.mark.parametrize("kind", ["v2-ed25519", "v2-rsa4096"])
def test_the_identity_of_an_account_is_its_fingerprint_and_is_made_once(kind: str) -> None:
    account = Account.open(Root(VECTORS / kind / "accounts" / "alice"), "alice-pass")
    identity = account.identity()
    assert identity is account.identity()
    assert fingerprint_of(self_signed(identity)) == account.fingerprint


def test_own_posts_lie_in_the_own_directory(account: Account) -> None:
    assert account.posts().fpr == account.fingerprint
    assert account.posts().entries() == []


def test_a_wrong_passphrase_is_one_error_that_does_not_repeat_it(root: Root, account: Account) -> None:
    with pytest.raises(WrongPassphrase) as refusal:
        Account.open(root, "not the one")
    assert "not the one" not in str(refusal.value)
    assert refusal.value.exit_code == 4


def test_without_an_account_the_error_says_what_makes_one(root: Root) -> None:
    for prepare in (lambda: None, root.path.mkdir, root.mau.mkdir):
        prepare()
        with pytest.raises(NoAccount, match="mau init"):
            Account.open(root, "one")
        with pytest.raises(NoAccount, match="mau init"):
            Account.require(root)


def test_a_damaged_account_file_is_one_of_two_errors(root: Root, account: Account) -> None:
    whole = root.account_file.read_bytes()
    damaged = [b"", b"\x00" * 100, b"hello", whole[:1], whole[:50], whole[: len(whole) // 2], whole[:-1]]
    damaged += [whole + whole, whole + b"x", bytes(account.certificate)]
    damaged += [account.certificate.armored().encode()]
    for position in range(0, len(whole), len(whole) // 40):
        flipped = bytearray(whole)
        flipped[position] ^= 0x10
        damaged.append(bytes(flipped))
    for content in damaged:
        root.account_file.write_bytes(content)
        try:
            opened = Account.open(root, "old one")
        except (WrongPassphrase, AccountDamaged) as error:
            assert "old one" not in str(error)
        else:
            assert bytes(opened.certificate) == bytes(account.certificate)


def test_neither_repr_nor_str_shows_the_key(account: Account) -> None:
    shown = f"{account!r} {account} {account.key!r} {vars(account)}"
    assert account.fingerprint.hex in shown
    assert "PRIVATE" not in shown
    assert account.key._data.hex() not in shown and repr(account.key._data) not in shown


def test_opening_loads_neither_pgpy_nor_tls_nor_http() -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from mau.account import Account; from mau.tree.layout import Root\n"
        f"Account.open(Root(Path({str(VECTORS / 'v2-ed25519/accounts/bob')!r})), 'bob-pass'); "
        "print({'pgpy', 'aiohttp', 'asyncio', 'OpenSSL', 'ssl', 'keyring', 'pyld'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_opening_costs_its_key_derivation_and_next_to_nothing_more() -> None:
    root = Root(VECTORS / "v2-ed25519" / "accounts" / "alice")
    content = root.account_file.read_bytes()
    bare, ours = [], []
    for _ in range(15):  # in turns, so that a busy machine is busy for both
        start = time.process_time()
        pysequoia.decrypt(content, passwords=["alice-pass"])
        middle = time.process_time()
        Account.open(root, "alice-pass")
        bare.append(middle - start)
        ours.append(time.process_time() - middle)
    assert min(ours) < 1.5 * min(bare)


# --- changing the passphrase -------------------------------------------------------------------------------


def test_after_a_change_the_new_passphrase_opens_and_the_old_does_not(root: Root, account: Account) -> None:
    account.change_passphrase("old one", "new one")
    with pytest.raises(WrongPassphrase):
        Account.open(root, "old one")
    assert bytes(Account.open(root, "new one").certificate) == bytes(account.certificate)
    assert [one.name for one in root.mau.iterdir()] == ["account.pgp"]
    assert stat.S_IMODE(root.account_file.stat().st_mode) == 0o600


def test_a_change_needs_the_passphrase_of_the_file_as_it_lies_there(root: Root, account: Account) -> None:
    account.change_passphrase("old one", "second")
    before = root.account_file.read_bytes()
    with pytest.raises(WrongPassphrase):
        account.change_passphrase("old one", "third")
    with pytest.raises(PassphraseError):
        account.change_passphrase("second", "")
    assert root.account_file.read_bytes() == before


def test_a_change_never_replaces_another_account(root: Root, account: Account, other_key: SecretKey) -> None:
    root.account_file.unlink()
    with pytest.raises(NoAccount):
        account.change_passphrase("old one", "new one")
    assert not root.account_file.exists()
    Account.create(root, other_key, "old one")
    with pytest.raises(TreeChanged):
        account.change_passphrase("old one", "new one")
    assert Account.open(root, "old one").fingerprint == other_key.fingerprint


def test_an_account_of_the_reference_keeps_its_key_through_a_change(tmp_path: Path) -> None:
    shutil.copytree(VECTORS / "v2-rsa4096" / "accounts" / "bob", tmp_path / "bob")
    root = Root(tmp_path / "bob")
    before = Account.open(root, "bob-pass")
    before.change_passphrase("bob-pass", "new one")
    assert Account.open(root, "new one").key._data == before.key._data


# A process that is killed before its n-th call to the system. `{work}` is what it does; `{check}` looks at
# what it left and adds a letter to `outcomes`.
KILLED_AT_EVERY_CALL = """
import fcntl, os, shutil, signal, sys
from pathlib import Path
from mau.account import Account
from mau.errors import NoAccount, WrongPassphrase
from mau.openpgp import SecretKey
from mau.tree.layout import Root

root, passphrases = Root(Path(sys.argv[1])), ["old one", "new one"]
key = SecretKey.generate("Alice", "alice@example.org")

def kill_at(number):
    def watch(frame, event, function):
        nonlocal number
        if event == "c_call" and getattr(function, "__module__", None) in ("posix", "fcntl"):
            if number == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            number -= 1
    sys.setprofile(watch)

number, outcomes = 0, ""
while True:
    account = {before}
    child = os.fork()
    if child == 0:
        kill_at(number)
        {work}
        os._exit(0)
    ended = os.waitpid(child, 0)[1]
    {check}
    if ended == 0:
        break
    assert os.WTERMSIG(ended) == signal.SIGKILL
    number += {step}
print(outcomes)
"""


def killed_at_every_call(root: Root, **parts: str) -> str:
    """Returns a letter for each call before which it was killed: first only `o`, then only `n`."""
    command = [sys.executable, "-c", KILLED_AT_EVERY_CALL.format(**parts), str(root.path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    outcomes = done.stdout.strip()
    assert outcomes.lstrip("o").strip("n") == ""
    return outcomes


def test_killed_at_any_point_a_change_leaves_an_account_that_opens(root: Root, account: Account) -> None:
    outcomes = killed_at_every_call(
        root,
        before="Account.open(root, passphrases[0])",
        step="1",
        work="account.change_passphrase(*passphrases)",
        check="""
    assert os.listdir(root.mau) == ["account.pgp"], os.listdir(root.mau)
    try:
        Account.open(root, passphrases[0])
        outcomes += "o"
    except WrongPassphrase:
        passphrases.reverse()
        Account.open(root, passphrases[0])
        outcomes += "n"
    """,
    )
    assert outcomes.count("o") >= 20
    assert outcomes.count("n") >= 2
    # The last run was not killed, and cleared away what the others left.
    assert not list(root.path.glob(".mau-*"))


def test_killed_at_any_point_the_making_of_an_account_leaves_none_or_a_whole_one(root: Root) -> None:
    outcomes = killed_at_every_call(
        root,
        before="None",
        step="2",
        work="Account.create(root, key, 'old one')",
        check="""
    assert not root.mau.exists() or set(os.listdir(root.mau)) <= {"account.pgp"}
    try:
        assert Account.open(root, "old one").fingerprint == key.fingerprint
        assert root.author_dir(key.fingerprint).is_dir()
        assert "END PGP" in root.revocation_file(key.fingerprint).read_text()
        outcomes += "n"
    except NoAccount:
        outcomes += "o"
        if number % 8 == 0:  # the next attempt is not disturbed by what is left, and clears it away
            Account.create(root, key, "old one")
            assert not list(root.path.glob(".mau-*"))
    shutil.rmtree(root.path, ignore_errors=True)
    """,
    )
    assert outcomes.count("o") >= 15
    assert outcomes.count("n") >= 1


# --- names -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("Alice", "Alice"),
        ("  Alice  Liddell ", "Alice  Liddell"),
        ("E\u0301mile", "Émile"),
        ("أليس", "أليس"),
        ("愛麗絲", "愛麗絲"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("O'Hara, Jr. & Søn; \\ \" 💌", "O'Hara, Jr. & Søn; \\ \" 💌"),
        ("x" * 200, "x" * 200),
    ],
)
def test_a_name_may_be_written_in_any_script_and_survives_in_the_key(given: str, taken: str) -> None:
    assert check_name(given) == taken
    assert SecretKey.generate(check_name(given), "a@example.org").certificate.name == taken


@pytest.mark.parametrize(
    "bad",
    ["", " \t", "a<", ">b", "(a", "a@b", "a\nb", "\x00", "x" * 201, "\ud800", "\ufeffa", "a\x1b[31m", "\x9b"]
    + [f"a{character}b" for character in "\u202e\u2066\u2028\U000e0041"],
)
def test_a_name_that_is_no_name_is_refused(bad: str) -> None:
    with pytest.raises(UsageError) as refusal:
        check_name(bad)
    assert not any(one in str(refusal.value) for one in "\x1b\u202e\n")


@pytest.mark.parametrize("good", ["a@b", "alice@example.org", "a+b.c_d@sub.example.org", "é@exämple.org"])
def test_an_email_address_needs_only_the_form_and_survives_in_the_key(good: str) -> None:
    assert check_email(f" {good} ") == good
    assert SecretKey.generate("Alice", good).certificate.email == good


@pytest.mark.parametrize(
    "bad",
    ["", "a", "@", "a@", "@b", "a@b@c", "a b@c", "<a@b>", "a@b>", "(a)@b", "a\n@b", "a@b\x00", "a@\u202eb"],
)
def test_an_email_address_without_the_form_is_refused(bad: str) -> None:
    with pytest.raises(UsageError):
        check_email(bad)
