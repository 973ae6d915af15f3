"""Where the passphrase comes from: the first of these that gives one (README, "Passphrase").

    --passphrase-file      the first line of a file; also of a pipe such as /dev/fd/3
    --passphrase-command   the first line that a command prints; run without a shell
    MAU_PASSPHRASE         the environment
    a credential           ``mau.passphrase``, where systemd started this with one (`mau service install`)
    passphrase.file, passphrase.command    the same as the options, as settings (spec/config.md)
    the system's keyring   when `mau unlock --remember` put it there (mau/remembered.py)
    the terminal           asked without echo

It is never an argument of a process, and never in a message, a repr or a traceback: errors raised here name
the source, not what it gave, and leave no chain to an error that might hold more.
"""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

from mau.errors import PassphraseError, PassphraseNeeded, UsageError

if TYPE_CHECKING:
    from mau.config.settings import Config
    from mau.tree.layout import Root

VARIABLE = "MAU_PASSPHRASE"
CREDENTIALS = "CREDENTIALS_DIRECTORY"
CREDENTIAL = "mau.passphrase"
"""What systemd gives a service stands in files of that directory; this one is the passphrase."""

# A new passphrase in UTF-8 bytes: gpg-agent takes no longer one, and the account file is to open there too.
MAX_NEW = 255
# The longest that is read at all: an account made elsewhere may be locked with more.
MAX_READ = 64 * 1024


@dataclass(frozen=True, slots=True)
class Passphrase:
    """A passphrase and the source that gave it, in words that can begin a sentence."""

    text: str = field(repr=False)
    source: str

    def __str__(self) -> str:
        return f"<passphrase from {self.source}>"


def find_passphrase(
    root: Root | None,
    *,
    file: Path | None = None,
    command: str | None = None,
    standing: Callable[[], Passphrase] | None = None,
    ask: Callable[[], str] | None = None,
    environ: Mapping[str, str] | None = None,
    warn: Callable[[str], None] = lambda words: None,
) -> Passphrase:
    """Take the passphrase from the first source that is there.

    ``root`` None leaves out what is given without a person, the system's keyring and the credentials of a
    service: it is never taken for a new passphrase, nor where somebody has to prove that he knows it.
    ``standing`` asks the source that the settings name. ``ask`` None means that there is no terminal.
    Raises PassphraseNeeded when no source is there, PassphraseError when the first one fails: the next is
    not tried then, since the user meant this one.
    """
    environ = os.environ if environ is None else environ
    if file is not None:
        return passphrase_from_file(file, warn)
    if command is not None:
        return passphrase_from_command(command, "--passphrase-command", environ)
    if environ.get(VARIABLE):
        return Passphrase(_checked(environ[VARIABLE], VARIABLE), f"the passphrase in {VARIABLE}")
    credential = credential_file(environ)
    if root is not None and credential is not None:
        return Passphrase(_from_file(credential, warn), f"the credential {CREDENTIAL} of this service")
    if standing is not None:
        return standing()
    if root is not None:
        from mau.remembered import recall

        remembered = recall(root, warn)
        if remembered is not None:
            return Passphrase(remembered, "the passphrase that the system's keyring remembers")
    if ask is None:
        raise PassphraseNeeded(
            f"a passphrase is needed and there is no terminal to ask on: use --passphrase-file, "
            f"--passphrase-command or {VARIABLE}"
        )
    return Passphrase(_checked(ask(), "the terminal"), "the passphrase")


def standing_passphrase(
    config: Config, *, in_file: bool, warn: Callable[[str], None] = lambda words: None
) -> Callable[[], Passphrase] | None:
    """Asks the source that the settings name; without ``in_file`` only what was said for this run counts.

    The file of settings is for the account that there is, like the system's keyring: never for another.
    """
    from mau.config.file import expand
    from mau.config.keys import PASSPHRASE_COMMAND, PASSPHRASE_FILE

    setting = config.strongest(PASSPHRASE_FILE, PASSPHRASE_COMMAND)
    value = setting.value
    if value is None or (setting.origin == "file" and not in_file):
        return None
    if setting.key is PASSPHRASE_FILE:
        return lambda: passphrase_from_file(expand(value), warn)
    called = setting.key.variable if setting.origin == "environment" else setting.key.name
    return lambda: passphrase_from_command(value, called)


def passphrase_from_file(path: Path, warn: Callable[[str], None] = lambda words: None) -> Passphrase:
    """The first line of a file (PassphraseError)."""
    return Passphrase(_from_file(path, warn), f"the passphrase in the file {str(path)!r}")


def passphrase_from_command(
    command: str, called: str, environ: Mapping[str, str] | None = None
) -> Passphrase:
    """The first line that a command prints (PassphraseError, UsageError); ``called`` is what names it."""
    environ = os.environ if environ is None else environ
    return Passphrase(_from_command(command, called, environ), f"the passphrase that {called} printed")


def credential_file(environ: Mapping[str, str] | None = None) -> Path | None:
    """Where systemd put the passphrase for the service that this is; None when it is no such service."""
    directory = (os.environ if environ is None else environ).get(CREDENTIALS, "")
    if not directory.startswith("/"):
        return None
    path = Path(directory) / CREDENTIAL
    return path if path.is_file() else None


def without_passphrase(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment for a program that is run: all of it but the passphrase, which is nobody else's."""
    environ = os.environ if environ is None else environ
    return {name: value for name, value in environ.items() if name != VARIABLE}


def check_new(text: str) -> str:
    """Return a passphrase that an account may be locked with; PassphraseError says why it may not.

    A line break or another control character could not be given by file or terminal later on.
    """
    if not text:
        raise PassphraseError("an empty passphrase protects nothing: choose one")
    if any(character < " " or character == "\x7f" for character in text):
        raise PassphraseError("a passphrase may not hold line breaks or other control characters")
    if len(_checked(text, "the new passphrase").encode("utf-8")) > MAX_NEW:
        raise PassphraseError(f"a passphrase has at most {MAX_NEW} bytes in UTF-8")
    return text


def read_passphrase_file(path: Path, warn: Callable[[str], None] = lambda words: None) -> str:
    """Read the first line of a passphrase file (PassphraseError)."""
    return _from_file(path, warn)


def _from_file(path: Path, warn: Callable[[str], None]) -> str:
    try:
        with path.open("rb", buffering=0) as stream:
            facts = os.fstat(stream.fileno())
            if stat.S_ISREG(facts.st_mode) and facts.st_mode & 0o077:
                warn(f"warning: others on this machine can read {str(path)!r}; chmod 600 it")
            content = _up_to(stream, MAX_READ)
    except OSError as error:
        raise PassphraseError(f"cannot read the passphrase file {str(path)!r}: {error.strerror}") from None
    if len(_first_line(content)) > MAX_READ:
        raise PassphraseError(f"the passphrase file {str(path)!r} begins with more than a passphrase")
    return _decoded(content, f"the passphrase file {str(path)!r}")


def _from_command(command: str, called: str, environ: Mapping[str, str]) -> str:
    """Run the command and read what it prints.

    Only its first word is ever shown: the others may be secret. It gets no standard input, which belongs to
    the post that may be read from there; a password manager that asks does so on the terminal itself.
    """
    import subprocess

    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UsageError(f"{called}: {str(error).lower()}") from None
    if not words:
        raise UsageError(f"{called} is empty")
    try:
        with subprocess.Popen(  # the user's own command, and no shell looks at it
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            bufsize=0,
            env=without_passphrase(environ),
        ) as process:
            assert process.stdout is not None  # noqa: S101 - PIPE was asked for
            printed = _up_to(process.stdout, MAX_READ)
            if len(printed) > MAX_READ:
                process.kill()
        if len(printed) > MAX_READ:
            raise PassphraseError(f"the passphrase command {words[0]!r} prints more than a passphrase")
        status = process.returncode
    except OSError as error:
        raise PassphraseError(f"cannot run the passphrase command {words[0]!r}: {error.strerror}") from None
    if status:
        how = f"was ended by signal {-status}" if status < 0 else f"failed with exit status {status}"
        raise PassphraseError(f"the passphrase command {words[0]!r} {how}")
    return _decoded(printed, f"what the passphrase command {words[0]!r} printed")


def _up_to(stream: IO[bytes], limit: int) -> bytes:
    """Read to the end, or to some point beyond the limit."""
    content = b""
    while len(content) <= limit:
        some = stream.read(limit + 1)
        if not some:
            break
        content += some
    return content


def _first_line(content: bytes) -> bytes:
    return content.partition(b"\n")[0].removesuffix(b"\r")


def _decoded(content: bytes, source: str) -> str:
    try:
        text = _first_line(content).decode("utf-8")
    except UnicodeDecodeError:
        raise PassphraseError(f"{source} is not UTF-8") from None
    return _checked(text, source)


def _checked(text: str, source: str) -> str:
    if not text:
        raise PassphraseError(f"{source} is empty: no passphrase there")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise PassphraseError(f"{source} is not UTF-8") from None
    return text
