"""The examples do what they say: each as a process of its own, with real trees and real connections."""

from __future__ import annotations

import http.server
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from mau.publish import publish_document
from mau.reader.open import open_post
from tests.publish.world import PASSPHRASE, Someone, World, trees, world

__all__ = ["trees", "world"]

EXAMPLES = Path(__file__).parent.parent / "examples"
Run = Callable[..., str]


def environment(who: Someone, **more: str) -> dict[str, str]:
    return {**os.environ, "MAU_DIR": str(who.account.root.path), "MAU_PASSPHRASE": PASSPHRASE, **more}


def run(who: Someone, example: str, *words: str | Path) -> str:
    """Run one to its end; what it prints."""
    command = [sys.executable, "-W", "error", str(EXAMPLES / f"{example}.py"), *map(str, words)]
    done = subprocess.run(
        command, env=environment(who), capture_output=True, text=True, check=False, timeout=50
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def text(who: Someone, author: Someone, name: str, key: str = "text") -> object:
    return (open_post(who.account, who.keyring, author.fpr, name).document or {}).get(key)


def test_there_are_five_and_each_is_short_and_says_what_it_shows() -> None:
    files = sorted(EXAMPLES.glob("*.py"))
    assert [path.stem for path in files] == ["agenda", "album", "bot", "bridge", "chat"]
    for path in files:
        assert len(path.read_text().splitlines()) < 120
        assert "Shows " in path.read_text().split('"""')[1]


def test_two_people_chat(world: World) -> None:
    alice, bob = world.alice, world.bob
    ports = {one.fpr: _free_port() for one in (alice, bob)}

    @contextmanager
    def chatting(who: Someone, other: Someone, name: str) -> Iterator[subprocess.Popen[str]]:
        listen, at = (f"127.0.0.1:{ports[one.fpr]}" for one in (who, other))
        words = [name, "--listen", listen, "--at", at]
        command = [sys.executable, "-W", "error", str(EXAMPLES / "chat.py"), *words]
        with subprocess.Popen(
            command,
            env=environment(who),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            watchdog = threading.Timer(50, process.kill)
            watchdog.start()
            try:
                assert process.stderr is not None
                assert listen in process.stderr.readline()
                yield process
            finally:
                watchdog.cancel()
                process.kill()

    with chatting(bob, alice, "alice") as his, chatting(alice, bob, "bob") as hers:
        assert his.stdin and his.stdout and hers.stdin and hers.stdout and his.stderr
        his.stdin.write("Is the kettle \x1b[2J on?\n")
        his.stdin.flush()
        assert hers.stdout.readline() == "<bob> Is the kettle \N{REPLACEMENT CHARACTER}[2J on?\n"
        hers.stdin.write("It is.\n")
        hers.stdin.flush()
        assert his.stdout.readline() == "<alice> It is.\n"
        his.stdin.close()
        assert his.wait(30) == 0
        assert his.stderr.read() == ""


def test_the_bot_rolls_dice_once_for_whoever_asks_it(world: World) -> None:
    alice, bob = world.alice, world.bob
    for name, words, about in (
        ("one.json.pgp", "2d6, please", alice.fpr),
        ("two.json.pgp", "2d6 is what others roll", bob.fpr),
        ("three.json.pgp", "good night", alice.fpr),
    ):
        document = {"@type": "Message", "text": words, "recipient": [{"@id": f"mau:/p2p/{about}"}]}
        publish_document(bob.account, bob.keyring, document, name, frozenset({alice.fpr, bob.fpr}))
        alice.fetch(bob, name)
    [answer] = run(alice, "bot", "--once").splitlines()
    assert run(alice, "bot", "--once") == ""
    bob.fetch(alice, answer)
    assert re.fullmatch(r"2d6: [1-6] \+ [1-6] = \d+", str(text(bob, alice, answer)))
    # Bob's is such a bot, too.
    asked = f"mau:/p2p/{alice.fpr}/{answer}"
    document = {**document, "text": "2d6: 1 + 1 = 2", "parentItem": {"@id": asked}}
    publish_document(bob.account, bob.keyring, document, "back.json.pgp", frozenset({alice.fpr, bob.fpr}))
    alice.fetch(bob, "back.json.pgp")
    assert run(alice, "bot", "--once") == ""


def test_the_album_is_posted_and_read_as_a_page_by_another(world: World, tmp_path: Path) -> None:
    alice, bob = world.alice, world.bob
    lake = tmp_path / "lake & hills"
    lake.mkdir()
    for name, colour in (("a.png", "red"), ("b.png", "blue")):
        Image.new("RGB", (40, 30), colour).save(lake / name)
    (lake / "a.txt").write_text('A "red" <boat>')
    address = run(alice, "album", "publish", lake, "--to", "bob").strip()
    for path in alice.account.root.author_dir(alice.fpr).glob("*.pgp"):
        bob.fetch(alice, path.name)
    run(bob, "album", "page", address, tmp_path / "page")
    page = (tmp_path / "page" / "index.html").read_text()
    assert "<h1>lake &amp; hills</h1>" in page
    assert 'src="001.png" alt="A &quot;red&quot; &lt;boat&gt;"' in page
    with Image.open(tmp_path / "page" / "002.png") as picture:
        assert picture.convert("RGB").getpixel((1, 1)) == (0, 0, 255)


def test_the_bridge_posts_each_entry_once_and_a_changed_one_anew(world: World, tmp_path: Path) -> None:
    alice = world.alice
    entry = (
        "<item><guid>{guid}</guid><title>{title}</title><link>https://example.org/{guid}</link>"
        "<description>&lt;p&gt;It &lt;b&gt;boils&lt;/b&gt;.&lt;script&gt;x()&lt;/script&gt;</description>"
        "<pubDate>Fri, 20 Nov 2026 13:27:18 GMT</pubDate></item>"
    )
    feed = tmp_path / "feed.xml"

    def write(*titles: str) -> None:
        items = "".join(entry.format(guid=number, title=title) for number, title in enumerate(titles))
        feed.write_text(f'<rss version="2.0"><channel><title>Tea</title>{items}</channel></rss>')

    with _web(tmp_path) as url:
        write("Kettle", "Cups")
        names = run(alice, "bridge", f"{url}/feed.xml", "--to", "bob").split()
        assert len(names) == 2
        assert run(alice, "bridge", f"{url}/feed.xml", "--to", "bob") == ""
        write("Kettle", "Cups and plates")
        assert run(alice, "bridge", f"{url}/feed.xml", "--to", "bob").split() == [names[0]]
        (tmp_path / "private.xml").write_text(feed.read_text().replace("Cups", "Private"))
        feed.write_text(str(tmp_path / "private.xml"))
        assert run(alice, "bridge", f"{url}/feed.xml", "--to", "bob") == ""
    assert text(alice, alice, names[0], "headline") == "Cups and plates"
    assert str(text(alice, alice, names[1], "articleBody")).strip() == "It boils."
    assert text(alice, alice, names[1], "datePublished") == "2026-11-20T13:27:18Z"


def test_the_agenda_is_a_calendar_that_others_words_cannot_break(world: World) -> None:
    alice, bob = world.alice, world.bob
    event = {
        "@type": "Event",
        "name": "Tea; " + "ü" * 60,
        "description": "One\nEND:VEVENT",
        "startDate": "2026-12-01T16:00:00+01:00",
        "location": {"@type": "Place", "name": "The kitchen"},
    }
    for number, document in enumerate((event, {"@type": "Event", "name": "Some day"})):
        name = f"{number}.json.pgp"
        publish_document(bob.account, bob.keyring, document, name, frozenset({alice.fpr, bob.fpr}))
        alice.fetch(bob, name)
    command = [sys.executable, "-W", "error", str(EXAMPLES / "agenda.py")]
    printed = subprocess.run(
        command, env=environment(alice), capture_output=True, check=True, timeout=50
    ).stdout
    lines = printed.split(b"\r\n")
    assert all(len(line) <= 75 and line.decode().isprintable() for line in lines)
    whole = printed.decode().replace("\r\n ", "").split("\r\n")
    assert whole.count("BEGIN:VEVENT") == whole.count("END:VEVENT") == 1
    assert "DTSTART:20261201T150000Z" in whole
    assert f"SUMMARY:Tea\\; {'ü' * 60} (bob)" in whole
    assert "DESCRIPTION:One\\nEND:VEVENT" in whole
    assert "LOCATION:The kitchen" in whole


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def _web(place: Path) -> Iterator[str]:
    """The files of a directory on a port of this machine."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *words: object) -> None:
            super().__init__(*words, directory=str(place))  # type: ignore[arg-type]

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
