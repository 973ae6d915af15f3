"""`mau completion`: what bash, zsh and fish make of a word, asked of the shells themselves."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from mau_cli.candidates import Candidates
from mau_cli.completing import SHELLS
from mau_cli.main import COMMANDS
from tests.agent.runtime import runtime
from tests.cli.conftest import MAU, Ended, _read
from tests.cli.desk import Desk, desk, trees, world
from tests.conftest import need

__all__ = ["desk", "runtime", "trees", "world"]


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A PATH on which `mau` is the checkout's."""
    program = tmp_path / "bin" / "mau"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m mau_cli.main "$@"\n')
    program.chmod(0o755)
    return f"{program.parent}:{os.environ['PATH']}"


def asked(line: str, **env: str) -> list[str]:
    """What the program offers for a line, over fish's protocol: the values."""
    words = line.split(" ")
    protocol = {"_MAU_COMPLETE": "fish_complete", "COMP_WORDS": line, "COMP_CWORD": words[-1]}
    done = subprocess.run(
        MAU,
        env={**os.environ, **protocol, **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return [one.partition(",")[2].partition("\t")[0] for one in done.stdout.splitlines() if one]


# --- what is offered ---------------------------------------------------------------------------------------


def test_commands_options_and_topics_are_offered_without_an_account(tmp_path: Path) -> None:
    nothing = {"MAU_DIR": str(tmp_path / "nothing")}
    assert asked("mau ", **nothing) == list(COMMANDS)
    assert asked("mau unf", **nothing) == ["unfollow"]
    assert asked("mau friend a", **nothing) == ["add"]
    assert "--public" in asked("mau post --p", **nothing)
    assert asked("mau new Rec", **nothing) == ["Recipe"]
    assert "catch-up" in asked("mau timeline --algorithm c", **nothing)
    assert asked("mau help exit", **nothing) == ["exit-codes"]
    assert asked("mau config set server.l", **nothing) == ["server.listen"]
    assert asked("mau completion ", **nothing) == list(SHELLS)
    assert asked("mau post --to ", **nothing) == []
    assert not (tmp_path / "nothing").exists()


def test_without_the_agent_only_what_stands_in_plain_names_is_offered(desk: Desk, runtime: Path) -> None:
    alice, bob = desk.world.alice, desk.world.bob
    name = desk.name(alice, "post", "--me", "x", "--name", "kettle")
    place = {"MAU_DIR": str(alice.account.root.path)}
    assert name == "kettle.pgp"
    assert asked("mau group list ", **place) == ["tea"]
    assert asked("mau post --to @", **place) == ["@tea"]
    assert asked("mau delete k", **place) == ["kettle"]
    assert asked("mau thread me/", **place) == ["me/kettle"]
    assert asked("mau unfollow ", **place) == sorted(asked("mau unfollow ", **place))
    assert bob.fpr.hex in asked("mau unfollow ", **place)
    assert "bob" not in asked("mau post --to ", **place)


def test_a_name_that_would_steer_the_terminal_is_not_offered(desk: Desk) -> None:
    alice, bob = desk.world.alice, desk.world.bob
    for name in ("xy.pgp", "x\u202etxt.pgp"):
        alice.put(bob, name, b"whatever it is")
    assert sorted(Candidates(alice.account.root.path).posts(bob.fpr.hex)) == ["xy", "x\u202etxt"]
    assert asked(f"mau open {bob.fpr.hex} x", MAU_DIR=str(alice.account.root.path)) == ["xy"]


def test_with_the_agent_names_of_people_are_offered(
    desk: Desk, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bob = desk.world.alice, desk.world.bob
    alice.put(bob, "2026-11-20-k3v9x2qa.json.pgp", b"whatever it is")
    desk.mau(alice, "post", "--me", "Four o'clock. #tea")
    desk.mau(alice, "timeline", "--wait")
    desk.mau(alice, "unlock")
    monkeypatch.setattr("mau_cli.candidates.PATIENCE", 20.0)  # this machine may be busy
    candidates = Candidates(alice.account.root.path)
    assert list(candidates.people())[:2] == ["bob", "carol"]
    assert {"me/", "bob/"} <= set(candidates.refs())
    assert list(candidates.refs("bob/")) == ["bob/k3v9x2qa"]
    assert list(candidates.posts("BOB")) == ["2026-11-20-k3v9x2qa.json"]
    assert list(candidates.posts("nobody")) == []
    assert list(candidates.tags()) == ["tea"]


def test_who_takes_too_long_to_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mau_cli.candidates.PATIENCE", 0.01)
    let_go = threading.Event()
    monkeypatch.setattr(Candidates, "_ask_agent", lambda _: let_go.wait(20) and {"never": "told"})
    assert list(Candidates(Path("/nonexistent")).people()) == []
    let_go.set()


# --- the shells --------------------------------------------------------------------------------------------


def test_bash_completes_names_with_signs_at_which_it_splits_words(
    desk: Desk, path: str, mau: Callable[..., Ended], tmp_path: Path
) -> None:
    alice = desk.world.alice
    desk.name(alice, "post", "--me", "x", "--name", "a *$(touch pwned); rm")
    (tmp_path / "rc").write_text(
        mau("completion", "bash").text
        + "PS1=READY; bind 'set bell-style none'; bind 'set enable-bracketed-paste off'\n"
        + "mau() { printf '<%s>' \"$@\"; echo; }\n"
    )
    env = {**os.environ, "PATH": path, "MAU_DIR": str(alice.account.root.path), "TERM": "dumb"}
    typed = ["mau timel\t x\n", "mau post --to @t\tx\n", f"mau unfollow {desk.world.bob.fpr.hex[:9]}\t\n"]
    typed += ["mau delete a\tz\n", "mau config set post.a\tv\n", "mau share --to=@t\tz\n"]
    shown = _typed(["bash", "--noprofile", "--rcfile", str(tmp_path / "rc"), "-i"], env, typed)
    assert "<timeline><x>" in shown
    assert "<post><--to><@tea><x>" in shown
    assert f"<unfollow><{desk.world.bob.fpr.hex}>" in shown
    assert "<delete><a *$(touch pwned); rm><z>" in shown
    assert not (tmp_path / "pwned").exists()
    assert not Path("pwned").exists()
    assert "<config><set><post.audience><v>" in shown
    assert "<share><--to=@tea><z>" in shown


def test_zsh_completes(path: str, mau: Callable[..., Ended], tmp_path: Path) -> None:
    need("zsh")
    (tmp_path / "completion").write_text(mau("completion", "zsh").text)
    lines = [
        "PS1=; unsetopt prompt_sp; autoload -U compinit; compinit -u -D",
        f"source {tmp_path / 'completion'}; mau() {{ printf '<%s>' \"$@\"; echo }}",
        "zle-line-init() { print -n READY }; zle -N zle-line-init",
    ]
    (tmp_path / ".zshrc").write_text("\n".join(lines) + "\n")
    env = {**os.environ, "PATH": path, "ZDOTDIR": str(tmp_path), "TERM": "dumb", "MAU_DIR": str(tmp_path)}
    shown = _typed(["zsh", "-i"], env, ["mau timel\tx\n", "mau config set post.a\tv\n"])
    assert "<timeline><x>" in shown
    assert "<config><set><post.audience><v>" in shown


def test_fish_completes(path: str, mau: Callable[..., Ended], tmp_path: Path) -> None:
    need("fish")
    (tmp_path / "mau.fish").write_text(mau("completion", "fish").text)
    done = subprocess.run(
        [
            "fish",
            "--no-config",
            "-c",
            f"source {tmp_path / 'mau.fish'}; complete -C 'mau timel'; complete -C 'mau config set post.a'",
        ],
        env={**os.environ, "PATH": path, "MAU_DIR": str(tmp_path), "HOME": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    assert [line.split("\t")[0] for line in done.stdout.splitlines()] == ["timeline", "post.audience"]


def _typed(argv: list[str], env: dict[str, str], lines: list[str]) -> str:
    """Type lines into a shell on a terminal, each when it says READY; all that it shows."""
    master, slave = os.openpty()
    process = subprocess.Popen(argv, env=env, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
    os.close(slave)
    shown = ""
    try:
        for number, line in enumerate([*lines, ""], 1):
            while shown.count("READY") < number:
                more = _read(master).decode(errors="replace")
                assert more, shown
                shown += more
            os.write(master, line.encode())
    finally:
        process.kill()
        process.wait()
        os.close(master)
    return shown
