"""Several programs at once, and one that is killed in the middle (spec/keyring.md K7)."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mau.account import Account
from mau.fingerprint import Fingerprint
from mau.keyring import Keyring
from mau.openpgp import SecretKey
from mau.tree.layout import Root
from tests.keyring.conftest import make, names, with_subkey

_ADD = """
import sys
import threading
from pathlib import Path
from mau.account import Account
from mau.keyring import Keyring
from mau.openpgp import Certificate, SecretKey
from mau.tree.layout import Root

tree, key, *certificates = map(Path, sys.argv[1:])
keyring = Keyring.load(Account(Root(tree), SecretKey(key.read_bytes())))
print("ready", flush=True)
sys.stdin.readline()
for path in certificates:
    keyring.add(Certificate.parse(path.read_bytes()), path.stem)
"""


def test_processes_that_add_at_once_lose_nobody(account: Account, tmp_path: Path, keyring: Keyring) -> None:
    (tmp_path / "key").write_bytes(account.key._data)
    shares = []
    for worker in range(4):
        paths = [tmp_path / f"Friend {worker}.{number}.key" for number in range(6)]
        for path in paths:
            path.write_bytes(bytes(make(path.stem).certificate))
        shares.append(paths)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _ADD, str(account.root.path), str(tmp_path / "key"), *map(str, paths)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for paths in shares
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
    for process in processes:
        process.communicate(b"go\n", timeout=50)
        assert process.returncode == 0
    again = Keyring.load(account)
    assert names(again.friends()) == sorted(path.stem for paths in shares for path in paths)
    assert again.differences() == []
    keyring.refresh()
    assert keyring.friends() == again.friends()


# A process does one change again and again on fresh copies of a tree, and each time dies one step later: at
# the n-th time that it writes, renames, removes or makes something. After each death it says what is there.
_DIE = """
import json, os, shutil, sys
from pathlib import Path
from mau.account import Account
from mau.errors import KeyringUntrusted
from mau.keyring import Keyring
from mau.openpgp import Certificate, SecretKey
from mau.tree.layout import Root

tree, key, change, *others = sys.argv[1:]
tree = Path(tree)
secret = SecretKey(Path(key).read_bytes())
bob, carol = [Certificate.parse(Path(other).read_bytes()) for other in others]
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
STEPS = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "ctypes.call_function"}

def act(keyring):
    match change:
        case "add":
            keyring.add(carol, "Carol", ["work"])
        case "merge":
            keyring.add(carol)  # who is a newer Bob this time
        case "remove":
            keyring.remove(bob.fingerprint)
        case "leave":
            if keyring.groups():
                keyring.group_remove("work")
        case "promote":
            keyring.add(bob)

def look(root):
    keyring = Keyring.load(Account(Root(root), secret))
    return {
        "friends": [person.local_name for person in keyring.friends()],
        "known": [person.local_name for person in keyring.known()],
        "work": [person.local_name for person in keyring.members("work")],
        "whole": all(
            person.certificate.fingerprint == person.fingerprint for person in keyring.people()
        ),
        "foreign": [str(d) for d in keyring.differences() if d.kind == "foreign"],
        "again": again(root),
    }

def again(root):
    keyring = Keyring.load(Account(Root(root), secret))
    act(keyring)
    return [[person.local_name for person in people] for people in (keyring.friends(), keyring.known())]

seen = []
for last in range(1, 1000):
    copy = tree.with_name(f"copy-{last}")
    shutil.copytree(tree, copy)
    os.environ["XDG_STATE_HOME"] = str(copy.with_suffix(".state"))
    keyring = Keyring.load(Account(Root(copy), secret))
    child = os.fork()
    if child == 0:
        left = last
        def hook(event, arguments):
            global left
            if event in STEPS and (event != "open" or arguments[2] & WRITING):
                left -= 1
                if left == 0:
                    os._exit(9)
        sys.addaudithook(hook)
        act(keyring)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    seen.append([code, look(copy)])
    shutil.rmtree(copy)
    if code == 0:
        break
    assert code == 9, code
print(json.dumps(seen))
"""


@pytest.mark.parametrize(
    ("change", "before", "after"),
    [
        ("add", (["Bob"], [], ["Bob"]), (["Bob", "Carol"], [], ["Bob", "Carol"])),
        ("remove", (["Bob"], [], ["Bob"]), ([], [], [])),
        ("leave", (["Bob"], [], ["Bob"]), (["Bob"], [], [])),
        ("merge", (["Bob"], [], ["Bob"]), (["Bob"], [], ["Bob"])),
        ("promote", ([], ["Bob"], []), (["Bob"], [], [])),
    ],
)
def test_a_change_that_is_cut_off_anywhere_happened_or_did_not(
    account: Account,
    keyring: Keyring,
    bob: SecretKey,
    carol: SecretKey,
    tmp_path: Path,
    change: str,
    before: tuple[list[str], list[str], list[str]],
    after: tuple[list[str], list[str], list[str]],
) -> None:
    keyring.add(bob.certificate, "Bob", ["work"] if change != "promote" else (), known=change == "promote")
    words = [str(account.root.path), str(tmp_path / "key"), change]
    (tmp_path / "key").write_bytes(account.key._data)
    other = with_subkey(bob) if change == "merge" else carol.certificate
    for number, certificate in enumerate((bob.certificate, other)):
        words.append(str(tmp_path / f"key-{number}"))
        (tmp_path / f"key-{number}").write_bytes(bytes(certificate))
    done = subprocess.run([sys.executable, "-c", _DIE, *words], capture_output=True, timeout=55, check=False)
    assert done.returncode == 0, done.stderr.decode()
    seen = json.loads(done.stdout)
    assert len(seen) > 10, "it died too seldom to show anything"
    states = [(look["friends"], look["known"], look["work"]) for _, look in seen]
    assert set(map(str, states)) == {str(before), str(after)}
    assert states == sorted(states, key=lambda state: state == after), "no way back once it is done"
    for _, look in seen:
        assert look["whole"]
        assert look["foreign"] == []
        assert look["again"] == [after[0], after[1]], "done again, it is done"


def test_threads_take_turns(account: Account, keyring: Keyring) -> None:
    keys = [make(f"F{number}") for number in range(6)]
    errors: list[BaseException] = []

    def add(key: SecretKey) -> None:
        try:
            Keyring.load(account).add(key.certificate, key.certificate.name)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=add, args=(key,)) for key in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(Keyring.load(account).friends()) == len(keys)


def test_a_tree_without_keys_has_nobody(tmp_path: Path, my_key: SecretKey) -> None:
    keyring = Keyring.load(Account(Root(tmp_path / "nothing"), my_key))
    assert keyring.people() == []
    assert keyring.certificate(Fingerprint(b"\1" * 20)) is None
