"""The file of settings: where it lies, and whether it may be believed (spec/config.md C1-C4)."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from mau.errors import ConfigError

VARIABLE: Final = "MAU_CONFIG"
MAX_SIZE: Final = 1 << 20
"""In bytes."""


def config_file(environ: Mapping[str, str] | None = None) -> tuple[Path, bool]:
    """Where the file is to be, and whether MAU_CONFIG says so: then it must be there."""
    named = (os.environ if environ is None else environ).get(VARIABLE)
    if named:
        return expand(named).absolute(), True
    from platformdirs import user_config_dir

    return Path(user_config_dir("mau")) / "config.toml", False


def expand(text: str) -> Path:
    """A path with ``~`` replaced by the home directory."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise ConfigError(f"whose home directory is that? {text!r:.80}") from None


def read_file(path: Path) -> str | None:
    """The text of the file; None when there is none.

    Links are followed: settings are often kept elsewhere and linked to. What counts is who may write what
    is read: nobody but its owner, who is the user or root, since a setting can name a command that is run.
    """
    try:
        # Looked at before it is opened: opening alone makes some devices act.
        _require_ours(path, path.stat())
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:  # noqa: PTH123
            _require_ours(path, os.fstat(file.fileno()))
            content = file.read(MAX_SIZE + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"cannot read the settings in {str(path)!r}: {error.strerror}") from None
    if len(content) > MAX_SIZE:
        raise ConfigError(f"{str(path)!r} is too large for a file of settings")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{str(path)!r}: line {line} is not UTF-8") from None


def parse_toml(text: str, place: str) -> dict[str, Any]:
    """The table that the text is; ConfigError names the line."""
    if not text:
        return {}
    import tomllib

    try:
        return tomllib.loads(text)
    except ValueError as error:  # also for a number with more digits than Python reads
        raise ConfigError(f"{place}: not TOML: {error}") from None
    except RecursionError:
        raise ConfigError(f"{place}: not TOML that can be read: too deeply nested") from None


def _require_ours(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise ConfigError(f"{str(path)!r} is no regular file; settings are not read from it")
    if found.st_uid not in (os.geteuid(), 0):
        raise ConfigError(
            f"{str(path)!r} belongs to another user (number {found.st_uid}), who could make `mau` do "
            "anything; settings are not read from it"
        )
    if found.st_mode & 0o022:
        raise ConfigError(
            f"others on this machine may write {str(path)!r}, and could make `mau` do anything; "
            "look at what stands in it, then chmod 600 it"
        )
