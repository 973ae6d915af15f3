"""`mau publish --watch DIR`: each finished file that says for whom it is becomes a post, once."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Final

from mau.errors import MauError, NoAudience, PartlyDone
from mau_cli.context import Session
from mau_cli.output import clean, data, emit_json_line, say
from mau_cli.writing import audience_of_written, referring

if TYPE_CHECKING:
    from mau.publish import Published
    from mau.writing.folder import Folder

_AGAIN: Final = 60.0  # seconds: what failed is tried again, and what no event told of is found
_SOON: Final = 0.25  # seconds


class FolderRun:
    """One run over a folder."""

    def __init__(self, session: Session, path: Path, *, as_json: bool) -> None:
        self._session = session
        self._path = path
        self._as_json = as_json
        self._told: dict[str, str] = {}
        self._open: dict[str, float] = {}
        self._once = False
        self._ended = threading.Event()
        self._changed = threading.Event()

    def run(self, *, once: bool) -> None:
        """Publish until somebody ends it, or `once`: what is there; PartlyDone when something is left."""
        from mau.writing.folder import Folder

        self._session.keyring()  # the passphrase is asked for before anything else
        if self._path.stat().st_mode & 0o022:
            say(f"Warning: others may write into {clean(str(self._path))}, and so publish in your name.")
        with Folder.opened(self._path) as folder, self._told_to_end():
            if once:
                self._once = True
                self._run_once(folder)
                return
            with folder.watching(self._changed):
                say(f"Publishing what appears in {clean(str(self._path))}; Ctrl-C ends it.")
                while not self._ended.is_set():
                    self._changed.clear()
                    unsettled = self._look(folder)
                    self._changed.wait(_SOON if unsettled else _AGAIN)

    def _run_once(self, folder: Folder) -> None:
        while self._look(folder) and not self._ended.is_set():
            self._ended.wait(_SOON)
        if self._told:
            raise PartlyDone(f"{len(self._told)} of the files in {str(self._path)!r} were left")

    def _look(self, folder: Folder) -> bool:
        """Publish what is finished; whether something may be, soon."""
        looked = folder.look()
        self._open = {name: self._open.get(name, time.monotonic()) for name in looked.open_in}
        for name, mark in looked.open_in.items():
            # That somebody writes is no news; a mark that stays may be one that a dead editor left.
            if self._once or time.monotonic() - self._open[name] >= _AGAIN:
                self._tell(name, f"open in an editor, which keeps {mark} beside it")
        for name in looked.finished:
            if self._ended.is_set():
                break
            try:
                self._publish(folder, name)
            except (MauError, OSError) as error:
                self._tell(name, f"{error}")
            else:
                self._told.pop(name, None)
        return looked.unsettled

    def _tell(self, name: str, why: str) -> None:
        """Say once why a file is left."""
        if self._told.get(name) != why:
            self._told[name] = why
            say(f"Left: {clean(name)}: {why}")

    def _publish(self, folder: Folder, name: str) -> None:
        from mau.attachments import attached
        from mau.content.binding import PUBLIC
        from mau.writing.publishing import Source, forget, publish_source

        account, keyring = self._session.account(), self._session.keyring()
        source = Source.of(folder.path / name, folder.read(name))
        written = source.read(account, referring(self._session))
        if not written.audience and written.stated is None:
            raise NoAudience("it does not say for whom; write `for:` and names, @groups, friends or public")
        keyring.refresh()
        audience = audience_of_written(keyring, written)
        assert audience is not None  # noqa: S101 - it says so
        files = folder.attachments(source, written.attach)
        done = publish_source(
            account,
            keyring,
            source,
            written,
            audience,
            datetime.now(UTC),
            words=Path(name).stem if audience is PUBLIC else "",
            attaching=lambda people: attached(account, keyring, files, people),
        )
        folder.move_away(name)
        with contextlib.suppress(OSError):
            forget(source.path)
        self._show(name, done)

    def _show(self, file: str, done: Published | None) -> None:
        from mau_cli.audience import audience_facts, audience_words

        if done is None:
            say(f"{clean(file)} was published before; now it is moved away.")
            return
        keyring = self._session.keyring()
        words = clean(audience_words(keyring, done.audience, keyring.me.fingerprint))
        say(f"Posted {clean(file)} as {done.name} for {words}.")
        if not self._as_json:
            data(done.name)
            return
        facts = {"file": file, "name": done.name, "sha256": done.sha256, "replaced": done.replaced}
        emit_json_line({**facts, "audience": audience_facts(done.audience)})

    @contextlib.contextmanager
    def _told_to_end(self) -> Iterator[None]:
        """Let Ctrl-C and SIGTERM end it after the file that is being published."""

        def end(_number: int, _frame: FrameType | None) -> None:
            self._ended.set()
            self._changed.set()

        before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
