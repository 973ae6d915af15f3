"""Running the editor of a person on a text that nobody else may read (spec/writing.md P40-P54).

The editor gets a file in a private place in memory and the terminal. Its command line is split as a shell
would split it, and run without one.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Final

from mau.errors import EditorFailed, EditorInterrupted, NoSuchPost, NotAFile
from mau.passphrase import without_passphrase
from mau.tree import safe
from mau.writing.private import STEM, private_place, put, shared_lock

VARIABLES: Final = ("MAU_EDITOR", "VISUAL", "EDITOR")
_DEFAULTS: Final = ("sensible-editor", "editor", "nano", "vim", "vi", "emacs")
_VIMS: Final = ("vim", "nvim", "gvim")
# After the person's own settings: nothing of the text goes to where vim keeps histories, backups and undo.
# And before the text is read: what others wrote in it says nothing to vim.
_VIM_OPTIONS: Final = (
    "-n", "-i", "NONE",
    "--cmd", "silent! autocmd BufReadPre * setlocal nomodeline",
    "-c", "set nobackup nowritebackup noundofile",
)  # fmt: skip
_MODELINE: Final = re.compile(
    r"\b(vim?|ex|kate)(?=[<=>]{0,2}[0-9]*:)|\b(local)[ \t]+(?=variables:)", re.IGNORECASE
)
_MAX_TEXT: Final = 16 << 20  # bytes
_ENDING: Final = (signal.SIGTERM, signal.SIGHUP)
_GRACE: Final = 5.0  # seconds for an editor to end when it is told to


def editor_argv(environ: Mapping[str, str] = os.environ, *, terminal: bool = True) -> list[str]:
    """The editor's command line: of MAU_EDITOR, VISUAL or EDITOR, else what the system offers; EditorFailed.

    Without a `terminal` nothing is guessed.
    """
    for variable in VARIABLES:
        if not environ.get(variable, "").strip():
            continue
        try:
            argv = shlex.split(environ[variable])
        except ValueError as error:
            raise EditorFailed(f"{variable} is no command line: {error}") from None
        if not argv or shutil.which(argv[0], path=environ.get("PATH")) is None:
            raise EditorFailed(f"{variable} names no program that is there: {environ[variable]!r}")
        return argv
    found = [one for one in _DEFAULTS if shutil.which(one, path=environ.get("PATH"))] if terminal else []
    if not found:
        raise EditorFailed(f"which editor? {VARIABLES[0]}, {VARIABLES[1]} or {VARIABLES[2]} says it")
    return found[:1]


def edit_text(
    text: str, suffix: str, argv: Sequence[str] | None = None, *, insecure: bool = False
) -> str | None:
    """What the person made of a text; None when it is unchanged. `suffix` tells the editor what it is.

    EditorFailed, EditorInterrupted (both with what was written until then), NoPrivatePlace.
    """
    edited = edit_bytes(text.encode("utf-8", "replace"), suffix, argv, insecure=insecure)
    if edited is None:
        return None
    try:
        return edited.decode()
    except UnicodeDecodeError as error:
        raise EditorFailed("what the editor wrote is no text in UTF-8", edited) from error


def edit_bytes(
    data: bytes, suffix: str, argv: Sequence[str] | None = None, *, insecure: bool = False
) -> bytes | None:
    """As `edit_text`, for a content as it is; a line feed that an editor adds at the end is no change."""
    command = list(argv or editor_argv(terminal=_has_terminal()))
    with _signals() as told, private_place(insecure=insecure) as place:
        path = put(place, f"{STEM}{suffix}", data)
        code = _run([*with_manners(command), str(path)], told, place)
        edited = _read(path)
    ended = data if data.endswith(b"\n") else data + b"\n"
    changed = None if edited in {data, ended} else edited
    if told.signals:
        raise EditorInterrupted("ended while the editor was open", changed)
    if code != 0:
        how = f"was ended by signal {-code}" if code < 0 else f"ended with exit status {code}"
        raise EditorFailed(f"{command[0]} {how}: nothing is published", changed)
    return changed


def without_modelines(text: str) -> str:
    """Words of others, to be shown in an editor: they read the same, and none is a setting to it. Pure."""
    return _MODELINE.sub(lambda found: f"{found[1] or found[2]}\N{NO-BREAK SPACE}", text)


def with_manners(argv: Sequence[str]) -> list[str]:
    """The command line with options that keep an editor, if we know it, from noting the text elsewhere."""
    program = os.path.basename(argv[0])  # noqa: PTH119 - a word of a command line
    real = os.path.basename(os.path.realpath(shutil.which(argv[0]) or argv[0]))  # noqa: PTH119
    if not real.startswith(_VIMS) and not program.startswith(_VIMS):
        return list(argv)
    window = ["-f"] if program.startswith("g") else []
    return [argv[0], *_VIM_OPTIONS, *window, *argv[1:]]


def _read(path: Path) -> bytes:
    """What lies there now: an editor may have put another file in its place, or none."""
    try:
        return safe.read_bytes(path, _MAX_TEXT)
    except NoSuchPost:
        return b""
    except NotAFile as error:
        raise EditorFailed(f"what the editor left is not to be read: {error}") from None


def _has_terminal() -> bool:
    with contextlib.suppress(OSError), open("/dev/tty", "rb", buffering=0):  # noqa: PTH123 - a device
        return True
    return sys.stdin is not None and sys.stdin.isatty()


@dataclass(slots=True)
class _Told:
    """The signals that came to end us, and the editor that they are passed on to."""

    signals: list[int] = field(default_factory=list)
    editor: subprocess.Popen[bytes] | None = None

    def end(self, number: int, _frame: FrameType | None) -> None:
        """End the editor first; the text is taken from it, and then we end."""
        self.signals.append(number)
        if self.editor is None:
            return
        if len(self.signals) > 1:
            self.editor.kill()
            return
        self.editor.terminate()
        stubborn = threading.Timer(_GRACE, self.editor.kill)
        stubborn.daemon = True
        stubborn.start()


def _run(argv: list[str], told: _Told, place: Path) -> int:
    """Run it to its end, or until somebody ends us; its exit code."""
    with contextlib.ExitStack() as stack:
        terminal = None
        with contextlib.suppress(OSError):
            terminal = stack.enter_context(open("/dev/tty", "r+b", buffering=0))  # noqa: PTH123 - a device
        # Our own stdout is for data: the name of the post, perhaps for another program.
        out = None if sys.stdout.isatty() else terminal or _words()
        source = None if sys.stdin is None or sys.stdin.isatty() else terminal
        # The editor holds the place as well: were we killed, it could go on writing there.
        lock = stack.enter_context(shared_lock(place))
        try:
            told.editor = subprocess.Popen(
                argv, env=without_passphrase(), stdin=source, stdout=out, pass_fds=(lock,)
            )
        except OSError as error:
            raise EditorFailed(f"{argv[0]} was not run: {error.strerror}") from None
        if told.signals:  # before there was an editor to pass them on to
            told.editor.terminate()
        return told.editor.wait()


def _words() -> int:
    """Where words go that are no data: our stderr, where it is a file."""
    try:
        return sys.stderr.fileno()
    except (OSError, ValueError, AttributeError):
        return subprocess.DEVNULL


@contextlib.contextmanager
def _signals() -> Iterator[_Told]:
    """What would end us ends the editor, and is noted; Ctrl-C is for the editor alone."""
    told = _Told()

    def ignore(_number: int, _frame: FrameType | None) -> None:
        """Not SIG_IGN, which the editor would inherit."""

    if threading.current_thread() is not threading.main_thread():
        yield told
        return
    before = {number: signal.signal(number, told.end) for number in _ENDING}
    before |= {number: signal.signal(number, ignore) for number in (signal.SIGINT, signal.SIGQUIT)}
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
