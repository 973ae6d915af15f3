"""`mau watch` as a process: what other processes bring into the tree is told, once."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mau.errors import UsageError
from mau.publish import publish_document
from mau_cli.commands.watch import parse_since
from tests.cli.conftest import MAU, PATIENCE, Ended, check_silence
from tests.publish.world import PASSPHRASE, Someone, World, message, trees, world

__all__ = ["trees", "world"]

Run = Callable[..., Ended]


class Watching:
    """A running `mau watch`, and what it says."""

    def __init__(self, who: Someone, *words: str, command: str = "watch") -> None:
        self.process = subprocess.Popen(
            [*MAU, "--dir", str(who.account.root.path), command, *words],
            env={**os.environ, "MAU_PASSPHRASE": PASSPHRASE},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self.out: queue.Queue[str] = queue.Queue()
        self.err: queue.Queue[str] = queue.Queue()
        self._readers = [
            threading.Thread(target=self._read, args=(self.process.stdout, self.out)),
            threading.Thread(target=self._read, args=(self.process.stderr, self.err)),
        ]
        for reader in self._readers:
            reader.start()

    @staticmethod
    def _read(stream: Any, lines: queue.Queue[str]) -> None:
        for line in stream:
            check_silence(line)
            lines.put(line.decode())

    def json(self) -> Any:
        return json.loads(self.out.get(timeout=PATIENCE))

    def says(self, words: str) -> str:
        while True:
            line = self.err.get(timeout=PATIENCE)
            if words in line:
                return line

    def ends(self) -> list[str]:
        """Ended in order; what else it printed."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(PATIENCE) == 0
        for reader in self._readers:
            reader.join(PATIENCE)
        return list(self.out.queue)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for reader, stream in zip(self._readers, (self.process.stdout, self.process.stderr), strict=True):
            reader.join(PATIENCE)
            assert stream is not None
            stream.close()


@contextlib.contextmanager
def watching(who: Someone, *words: str) -> Iterator[Watching]:
    with contextlib.closing(Watching(who, *words)) as one:
        one.says("Watching")
        yield one


def write(author: Someone, name: str, to: Someone, text: str, **more: object) -> str:
    document = {"@context": "https://schema.org", "@type": "SocialMediaPosting", "articleBody": text, **more}
    audience = frozenset({author.fpr, to.fpr})
    return publish_document(author.account, author.keyring, document, name, audience).name


def bring(author: Someone, name: str, to: Someone) -> None:
    """Another process puts the file into the tree, as a sync does: beside, then by its name."""
    code = (
        "import os, shutil, sys; source, place, name = sys.argv[1:]; "
        "shutil.copy(source, os.path.join(place, '.part')); "
        "os.rename(os.path.join(place, '.part'), os.path.join(place, name))"
    )
    source = author.account.root.author_dir(author.fpr) / name
    subprocess.run([sys.executable, "-c", code, source, to.place(author), name], check=True, timeout=PATIENCE)


def test_what_was_there_is_no_news_and_what_comes_is_told_once(world: World) -> None:
    alice, bob = world.alice, world.bob
    bring(bob, write(bob, "old.json.pgp", alice, "old"), alice)
    with watching(alice, "--json") as watch:
        bring(bob, write(bob, "new.json.pgp", alice, "new"), alice)
        first = watch.json()
        assert (first["who"], first["name"], first["kind"]) == ("bob", "new.json.pgp", "post")
        assert first["document"]["articleBody"] == "new"
        assert first["address"] == f"mau:/p2p/{bob.fpr}/new.json.pgp"
        assert len(first["sha256"]) == 64
        bring(bob, "new.json.pgp", alice)  # the same content again
        write(alice, "mine.json.pgp", bob, "mine")
        bring(bob, write(bob, "new.json.pgp", alice, "edited"), alice)
        second = watch.json()
        assert (second["name"], second["document"]["articleBody"]) == ("new.json.pgp", "edited")
        assert watch.ends() == []


def test_for_people_it_reads_as_the_timeline_does(world: World) -> None:
    alice, bob = world.alice, world.bob
    with watching(alice) as watch:
        bring(bob, write(bob, "hi.json.pgp", alice, "hi \x1b[31m there"), alice)
        head = watch.out.get(timeout=PATIENCE)
        assert head.startswith("bob, ")
        assert "for you" in head
        assert watch.out.get(timeout=PATIENCE) == "    hi \\x1b[31m there\n"
        answered = {"@id": f"mau:/p2p/{alice.fpr}/2026-11-20-k3v9x2qa.json.pgp"}
        bring(bob, write(bob, "re.json.pgp", alice, "yes", parentItem=answered), alice)
        lines = [watch.out.get(timeout=PATIENCE) for _ in range(4)]
        assert lines[2:] == ["    yes\n", "    (answers me/k3v9x2qa)\n"]
        watch.ends()


def test_answers_and_mentions_are_told_apart_and_can_be_all(world: World) -> None:
    alice, bob = world.alice, world.bob
    with watching(alice, "--mentions", "--json") as watch:
        bring(bob, write(bob, "plain.json.pgp", alice, "nothing"), alice)
        post = f"mau:/p2p/{alice.fpr}/kettle.json.pgp"
        bring(bob, write(bob, "answer.json.pgp", alice, "yes", about={"@id": post}), alice)
        assert [(one["name"], one["kind"]) for one in [watch.json()]] == [("answer.json.pgp", "reply")]
        person = {"@type": "Person", "@id": f"mau:/p2p/{alice.fpr}"}
        bring(bob, write(bob, "named.json.pgp", alice, "you", mentions=person), alice)
        assert watch.json()["kind"] == "mention"
        for number, (kind, told) in enumerate({"LikeAction": "like", "ShareAction": "share"}.items()):
            does: dict[str, object] = {"@type": kind, "articleBody": None, "object": {"@id": post}}
            bring(bob, write(bob, f"does-{number}.json.pgp", alice, "", **does), alice)
            assert watch.json()["kind"] == told
        assert watch.ends() == []


def test_only_of_those_who_were_asked_for(world: World) -> None:
    alice, bob, carol = world.alice, world.bob, world.carol
    with watching(alice, "--from", "carol", "--json") as watch:
        bring(bob, write(bob, "b.json.pgp", alice, "from bob"), alice)
        bring(carol, write(carol, "c.json.pgp", alice, "from carol"), alice)
        assert watch.json()["who"] == "carol"
        assert watch.ends() == []


def test_since_then_is_news_too_in_the_order_in_which_it_came(world: World) -> None:
    alice, bob = world.alice, world.bob
    for name in ("second", "first", "third"):
        bring(bob, write(bob, f"{name}.json.pgp", alice, name), alice)
        with watching(alice):
            pass  # what is there is in the index now, with its time
    with watching(alice, "--since", "1h", "--json") as watch:
        assert [watch.json()["name"] for _ in range(3)] == [
            f"{name}.json.pgp" for name in ("second", "first", "third")
        ]
        assert watch.ends() == []
    tomorrow = (datetime.now() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    with watching(alice, "--since", tomorrow, "--json") as watch:
        assert watch.ends() == []


def test_what_does_not_hold_is_no_news_but_said(world: World) -> None:
    alice, bob = world.alice, world.bob
    with watching(alice, "--json") as watch:
        alice.put(bob, "forged.json.pgp", message(world.mallory.key, b"{}", [alice]))
        assert "bob" in watch.says("forged.json.pgp")
        bring(bob, write(bob, "good.json.pgp", alice, "good"), alice)
        assert watch.json()["name"] == "good.json.pgp"
        assert watch.ends() == []


def test_whom_one_unfollows_is_no_news_and_whom_one_follows_is(world: World) -> None:
    alice, bob = world.alice, world.bob
    with watching(alice, "--json") as watch:
        alice.account.root.unfollow(bob.fpr)
        write(bob, "hidden.json.pgp", alice, "hidden")
        alice.fetch(bob, "hidden.json.pgp", hidden=True)
        alice.account.root.follow(bob.fpr)
        assert watch.json()["name"] == "hidden.json.pgp"
        assert watch.ends() == []


# --- programs ----------------------------------------------------------------------------------------------


def test_a_program_gets_the_post_and_no_shell_sees_the_words(world: World, tmp_path: Path) -> None:
    alice, bob = world.alice, world.bob
    code = (
        "import os, sys, pathlib; place = pathlib.Path(sys.argv[1]); text = sys.stdin.read(); "
        "place.joinpath('.got').write_text(repr((sys.argv[2:], text, 'MAU_PASSPHRASE' in os.environ))); "
        "place.joinpath('.got').rename(place / 'got')"
    )
    words = [sys.executable, "-c", code, str(tmp_path), "$HOME; -x", "--json"]
    with watching(alice, "--exec", *words) as watch:
        bring(bob, write(bob, "a.json.pgp", alice, "for a program"), alice)
        end = time.monotonic() + PATIENCE
        while not (tmp_path / "got").exists():
            assert time.monotonic() < end
            time.sleep(0.02)
        assert watch.ends() == []
    argv, text, leaked = eval((tmp_path / "got").read_text())  # noqa: S307 - of the program above
    assert argv == ["$HOME; -x", "--json"]
    assert json.loads(text)["document"]["articleBody"] == "for a program"
    assert text.count("\n") == 1
    assert leaked is False


def test_one_that_fails_is_told_and_the_watch_goes_on(world: World) -> None:
    alice, bob = world.alice, world.bob
    code = "import json, sys, os; sys.exit(3) if 'spoilt' in sys.stdin.read() else print('well', flush=True)"
    with watching(alice, "--exec", sys.executable, "-c", code) as watch:
        bring(bob, write(bob, "a.json.pgp", alice, "spoilt"), alice)
        assert f"{bob.fpr}/a.json.pgp" in watch.says("exit status 3")
        bring(bob, write(bob, "b.json.pgp", alice, "good"), alice)
        assert watch.out.get(timeout=PATIENCE) == "well\n"
        watch.ends()


def test_so_many_run_at_once_and_no_more(world: World, tmp_path: Path) -> None:
    alice, bob = world.alice, world.bob
    code = (
        "import os, sys, time, pathlib; place = pathlib.Path(sys.argv[1]); mine = place / str(os.getpid()); "
        "mine.touch(); os.write(1, b'%d\\n' % len(list(place.iterdir()))); time.sleep(0.3); mine.unlink()"
    )
    (tmp_path / "running").mkdir()
    for number in range(6):
        write(bob, f"{number}.json.pgp", alice, str(number))
    with watching(
        alice, "--jobs", "2", "--exec", sys.executable, "-c", code, str(tmp_path / "running")
    ) as watch:
        for number in range(6):
            shutil.copy(bob.account.root.author_dir(bob.fpr) / f"{number}.json.pgp", alice.place(bob))
        counts = [int(watch.out.get(timeout=PATIENCE)) for _ in range(6)]
        assert max(counts) == 2
        watch.ends()


def test_what_still_runs_at_the_end_may_finish(world: World, tmp_path: Path) -> None:
    alice, bob = world.alice, world.bob
    code = "import sys, time; print('begun', flush=True); time.sleep(1); print('done', flush=True)"
    with watching(alice, "--exec", sys.executable, "-c", code) as watch:
        bring(bob, write(bob, "a.json.pgp", alice, "x"), alice)
        assert watch.out.get(timeout=PATIENCE) == "begun\n"
        assert watch.ends() == ["done\n"]


@pytest.mark.parametrize(
    "words", [["--exec"], ["notify-send"], ["--exec", "no-such-program-at-all"], ["--since", "soon"]]
)
def test_words_that_do_not_fit(world: World, mau: Run, words: list[str]) -> None:
    assert mau("watch", *words, passphrase=PASSPHRASE, root=world.alice.account.root.path).code == 2


def test_since_is_a_length_or_a_date() -> None:
    now = datetime.now().astimezone()
    assert parse_since("2h", now) == now.timestamp() - 7200
    assert parse_since("2026-11-20T18:00:00Z", now) == 1795197600
    assert parse_since("2026-11-20", now) == datetime(2026, 11, 20).astimezone().timestamp()
    for text in ("yesterday", "9" * 30, "0001-01-01T00:00:00+14:00x"):
        with pytest.raises(UsageError):
            parse_since(text, now)
