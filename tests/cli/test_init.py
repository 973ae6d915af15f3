"""`mau init`: what it makes, what it asks, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mau.account import Account
from mau.config.settings import Config
from mau.openpgp import SecretKey
from mau.tree.layout import Root
from tests.cli.conftest import IMPORT_PASSPHRASE, NEW_PASSPHRASE, PASSPHRASE, Ended, Gpg

Run = Callable[..., Ended]
ALICE = ("--name", "Alice", "--email", "alice@example.org")
NO = [(" [y/N]: ", "n")] * 3
"""What is asked of finding friends."""


@pytest.fixture(autouse=True)
def _settings_of_this_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))


def entries(path: Path) -> set[str]:
    return {str(one.relative_to(path)) for one in path.rglob("*")}


# --- a new account -----------------------------------------------------------------------------------------


def test_the_new_account_is_in_the_tree_and_its_fingerprint_on_stdout(mau: Run, tmp_path: Path) -> None:
    done = mau("init", *ALICE, passphrase=PASSPHRASE)
    assert done.code == 0, done.err
    account = Account.open(Root(tmp_path / "tree"), PASSPHRASE)
    assert done.text == f"{account.fingerprint}\n"
    assert (account.name, account.email) == ("Alice", "alice@example.org")
    assert account.certificate.algorithm == "Ed25519"
    assert account.certificate.expires is None
    revocation = f"revocation-{account.fingerprint}.asc"
    assert revocation in done.err
    assert entries(tmp_path / "tree") == {
        ".mau",
        ".mau/account.pgp",
        ".account",
        ".account/certificate.pgp",
        str(account.fingerprint),
        revocation,
    }


def test_json_says_the_same_and_where_the_revocation_certificate_is(mau: Run, tmp_path: Path) -> None:
    facts = json.loads(mau("init", *ALICE, "--json", passphrase=PASSPHRASE).text)
    assert facts["name"] == "Alice"
    assert Path(facts["revocation_certificate"]).read_text().count("BEGIN PGP") == 1
    assert facts["root"] == str(tmp_path / "tree")
    assert facts["fingerprint"] == Account.open(Root(tmp_path / "tree"), PASSPHRASE).fingerprint.hex


def test_an_rsa_account_on_request(mau: Run, tmp_path: Path) -> None:
    assert mau("init", *ALICE, "--rsa", passphrase=PASSPHRASE).code == 0
    account = Account.open(Root(tmp_path / "tree"), PASSPHRASE)
    assert account.certificate.algorithm == "RSA-4096"


def test_gpg_opens_the_account_file_takes_the_key_and_believes_the_revocation(
    mau: Run, gpg: Gpg, tmp_path: Path
) -> None:
    facts = json.loads(mau("init", *ALICE, "--json", passphrase=PASSPHRASE).text)
    secret = gpg.run("-d", tmp_path / "tree/.mau/account.pgp", passphrase=PASSPHRASE)
    gpg.run("--import", stdin=secret)
    listing = gpg.facts("--list-secret-keys")
    assert next(line[9].lower() for line in listing if line[0] == "fpr") == facts["fingerprint"]
    assert next(line[9] for line in listing if line[0] == "uid") == "Alice <alice@example.org>"
    assert next(line[11].lower() for line in listing if line[0] == "sec").startswith("sc")
    gpg.run("--import", facts["revocation_certificate"])
    assert next(line[1] for line in gpg.facts("--list-keys") if line[0] == "pub") == "r"


def test_what_is_missing_is_asked_for_and_asked_again_when_it_does_not_fit(
    on_terminal: Run, tmp_path: Path
) -> None:
    done = on_terminal(
        "init",
        typed=[
            ("Your name: ", "Ali<ce>"),
            ("Your name: ", "Alice"),
            ("Your e-mail address: ", "nowhere"),
            ("Your e-mail address: ", "alice@example.org"),
            ("New passphrase: ", PASSPHRASE),
            ("Repeat for confirmation: ", NEW_PASSPHRASE),
            ("New passphrase: ", PASSPHRASE),
            ("Repeat for confirmation: ", PASSPHRASE),
            *NO,
        ],
    )
    assert done.code == 0, done.err
    account = Account.open(Root(tmp_path / "tree"), PASSPHRASE)
    assert account.fingerprint.hex in done.err
    assert (account.name, account.email) == ("Alice", "alice@example.org")


def test_only_what_is_missing_is_asked_for(on_terminal: Run, tmp_path: Path) -> None:
    asked = [("Your e-mail address: ", "alice@example.org"), *NO]
    env = {"MAU_PASSPHRASE": PASSPHRASE}
    assert on_terminal("init", "--name", "Alice", typed=asked, env=env).code == 0
    assert Account.open(Root(tmp_path / "tree"), PASSPHRASE).email == "alice@example.org"


def test_the_passphrase_comes_from_a_file_or_a_command_too(
    mau: Run, secret_file: Callable[[str], Path], tmp_path: Path
) -> None:
    secret = secret_file(PASSPHRASE)
    for source in (("--passphrase-file", secret), ("--passphrase-command", f"cat {secret}")):
        root = tmp_path / source[0]
        assert mau(*source, "init", *ALICE, root=root).code == 0
        assert Account.open(Root(root), PASSPHRASE).name == "Alice"


# --- finding friends ---------------------------------------------------------------------------------------


def set_in_the_file() -> dict[str, object]:
    return {one.key.name: one.value for one in Config.load().settings() if one.origin == "file"}


def test_without_a_terminal_nothing_is_switched_on(mau: Run) -> None:
    assert mau("init", *ALICE, passphrase=PASSPHRASE).code == 0
    assert set_in_the_file() == {}


def test_what_is_answered_on_the_terminal_is_set_and_not_asked_again(
    on_terminal: Run, tmp_path: Path
) -> None:
    env = {"MAU_PASSPHRASE": PASSPHRASE}
    answers = [(" [y/N]: ", "n"), (" [y/N]: ", "y"), (" [y/N]: ", "y")]
    done = on_terminal("init", *ALICE, typed=answers, env=env)
    assert done.code == 0, done.err
    found = {"discovery.kademlia": True, "discovery.announce": True, "reach.router": True}
    assert set_in_the_file() == found
    assert "reach.router = true" in done.err
    again = on_terminal("init", *ALICE, typed=NO[:1], env=env, root=tmp_path / "other")
    assert (again.code, again.err.count("[y/N]")) == (0, 1)
    assert set_in_the_file() == found


def test_the_option_answers_all_three(on_terminal: Run, mau: Run, tmp_path: Path) -> None:
    env = {"MAU_PASSPHRASE": PASSPHRASE}
    none = on_terminal("init", *ALICE, "--discover", "none", env=env)
    assert (none.code, "[y/N]" in none.err) == (0, False)
    assert set_in_the_file() == {}
    done = mau("init", *ALICE, "--discover", "router, lan", passphrase=PASSPHRASE, root=tmp_path / "other")
    assert done.code == 0, done.err
    found = set_in_the_file()
    assert (found.pop("discovery.mdns"), found.pop("reach.router")) == ("trusted", True)
    assert set(found) <= {"discovery.networks"}  # as many as this machine is in


@pytest.mark.parametrize("words", ["", ",", "lan,none", "wan"])
def test_a_way_that_there_is_not_is_refused_before_anything_is_made(
    mau: Run, tmp_path: Path, words: str
) -> None:
    done = mau("init", *ALICE, "--discover", words, passphrase=PASSPHRASE)
    assert done.code == 2
    assert not (tmp_path / "tree").exists()


# --- what is refused ---------------------------------------------------------------------------------------


def test_an_account_is_never_overwritten_and_nothing_is_asked_before(
    alice: Account, on_terminal: Run
) -> None:
    before = alice.root.account_file.read_bytes()
    done = on_terminal("init")
    assert done.code == 1
    assert "never overwritten" in done.err
    assert "name" not in done.err
    assert alice.root.account_file.read_bytes() == before


@pytest.mark.parametrize("missing", [("--name", "Alice"), ("--email", "alice@example.org"), ()])
def test_without_a_terminal_what_is_missing_is_an_error_of_usage(
    mau: Run, tmp_path: Path, missing: tuple[str, ...]
) -> None:
    done = mau("init", *missing, passphrase=PASSPHRASE)
    assert done.code == 2
    assert "--email" in done.err or "--name" in done.err
    assert not (tmp_path / "tree").exists()


def test_without_a_passphrase_or_with_an_empty_one_no_account_is_made(
    mau: Run, tmp_path: Path, secret_file: Callable[[str], Path]
) -> None:
    for sources in ((), ("--passphrase-file", secret_file("\n")), ("--passphrase-command", "true")):
        done = mau(*sources, "init", *ALICE)
        assert done.code == 4
        assert done.out == b""
    assert mau("init", *ALICE, passphrase="").code == 4
    assert not (tmp_path / "tree").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("--name", "Ali<ce", "--email", "a@b"),
        ("--name", "Ali\x1b[31mce", "--email", "a@b"),
        ("--name", " ", "--email", "a@b"),
        ("--name", "Alice", "--email", "nowhere"),
        (*ALICE, "--import", "/dev/null"),
        ("--rsa", "--import", "/dev/null"),
        ("--import", "/nowhere/at/all"),
        (*ALICE, "--import-passphrase-file", "/dev/null"),
    ],
)
def test_words_that_do_not_fit_make_no_account(mau: Run, tmp_path: Path, words: tuple[str, ...]) -> None:
    done = mau("init", *words, passphrase=PASSPHRASE)
    assert done.code == 2, done.err
    assert "\x1b" not in done.err
    assert not (tmp_path / "tree").exists()


def test_a_place_that_cannot_be_written_is_an_error_that_names_it(mau: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for root in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/nowhere")):
        done = mau("init", *ALICE, passphrase=PASSPHRASE, root=root)
        assert done.code in {1, 2}, done.err
        assert str(root) in done.err or str(root.parent) in done.err


# --- a key of GnuPG ----------------------------------------------------------------------------------------


def exported(gpg: Gpg, kind: str, usage: str, *, protected: bool, armored: bool) -> tuple[str, bytes]:
    """Make a key with GnuPG; its fingerprint and what ``--export-secret-keys`` says."""
    passphrase = IMPORT_PASSPHRASE if protected else ""
    gpg.run("--quick-gen-key", "Gustav <gustav@example.org>", kind, usage, "never", passphrase=passphrase)
    fingerprint = next(line[9].lower() for line in gpg.facts("--list-keys") if line[0] == "fpr")
    if kind != "default":
        gpg.run("--quick-add-key", fingerprint, "cv25519", "encrypt", "never", passphrase=passphrase)
    form = ["--armor"] if armored else []
    return fingerprint, gpg.run(*form, "--export-secret-keys", fingerprint, passphrase=passphrase)


@pytest.mark.parametrize("armored", [False, True])
@pytest.mark.parametrize("kind", ["ed25519", "rsa2048", "nistp256"])
def test_a_key_of_gpg_becomes_the_account_with_its_own_passphrase_taken_off(
    mau: Run, gpg: Gpg, tmp_path: Path, secret_file: Callable[[str], Path], kind: str, armored: bool
) -> None:
    fingerprint, content = exported(gpg, kind, "sign", protected=True, armored=armored)
    keyfile = tmp_path / "key"
    keyfile.write_bytes(content)
    own = secret_file(IMPORT_PASSPHRASE)
    done = mau("init", "--import", keyfile, "--import-passphrase-file", own, passphrase=PASSPHRASE)
    assert done.code == 0, done.err
    assert done.text.strip() == fingerprint
    account = Account.open(Root(tmp_path / "tree"), PASSPHRASE)
    assert (account.name, account.email) == ("Gustav", "gustav@example.org")
    assert account.identity().fingerprint.hex == fingerprint


def test_the_passphrase_of_the_key_is_asked_for_only_when_it_has_one(
    on_terminal: Run, gpg: Gpg, tmp_path: Path
) -> None:
    fingerprint, protected = exported(gpg, "ed25519", "sign", protected=True, armored=True)
    (tmp_path / "protected").write_bytes(protected)
    (tmp_path / "open").write_bytes(SecretKey.import_key(protected, IMPORT_PASSPHRASE)._data)
    ours = [("New passphrase: ", PASSPHRASE), ("Repeat for confirmation: ", PASSPHRASE)]
    theirs = [("Passphrase of the key to import: ", IMPORT_PASSPHRASE)]
    done = on_terminal("init", "--import", tmp_path / "protected", typed=[*theirs, *ours, *NO])
    assert done.code == 0, done.err
    done = on_terminal("init", "--import", tmp_path / "open", typed=[*ours, *NO], root=tmp_path / "other")
    assert done.code == 0, done.err
    assert Account.open(Root(tmp_path / "other"), PASSPHRASE).fingerprint.hex == fingerprint


def test_a_key_comes_through_a_pipe_and_its_passphrase_from_the_terminal(
    on_terminal: Run, gpg: Gpg, tmp_path: Path
) -> None:
    _, content = exported(gpg, "ed25519", "sign", protected=True, armored=False)
    typed = [
        ("Passphrase of the key to import: ", IMPORT_PASSPHRASE),
        ("New passphrase: ", PASSPHRASE),
        ("Repeat for confirmation: ", PASSPHRASE),
    ]
    done = on_terminal("init", "--import", "-", typed=typed, stdin=content)
    assert done.code == 0, done.err
    assert Account.open(Root(tmp_path / "tree"), PASSPHRASE).name == "Gustav"


def test_without_the_passphrase_of_the_key_or_with_a_wrong_one_no_account_is_made(
    mau: Run, gpg: Gpg, tmp_path: Path, secret_file: Callable[[str], Path]
) -> None:
    _, content = exported(gpg, "ed25519", "sign", protected=True, armored=False)
    done = mau("init", "--import", "-", stdin=content, passphrase=PASSPHRASE)
    assert (done.code, "--import-passphrase-file" in done.err) == (4, True)
    wrong = secret_file(NEW_PASSPHRASE)
    done = mau(
        "init", "--import", "-", "--import-passphrase-file", wrong, stdin=content, passphrase=PASSPHRASE
    )
    assert (done.code, str(wrong) in done.err) == (4, True)
    assert not (tmp_path / "tree").exists()


def test_a_key_that_cannot_serve_is_refused_with_the_reason(mau: Run, gpg: Gpg, tmp_path: Path) -> None:
    fingerprint, secret = exported(gpg, "ed25519", "sign", protected=False, armored=False)
    public = gpg.run("--export", fingerprint)
    stub = gpg.run("--export-secret-subkeys", fingerprint)
    for content, reason in [
        (public, "public key"),
        (stub, "secret of its primary key is not in there"),
        (secret + secret, "one key"),
        (b"", "key"),
        (b"hello", "key"),
        (secret[:100], "key"),
        (b"\x00" * 100_000, "key"),
    ]:
        done = mau("init", "--import", "-", stdin=content, passphrase=PASSPHRASE)
        assert done.code == 6, done.err
        assert reason in done.err
        assert done.out == b""
    assert not (tmp_path / "tree").exists()
