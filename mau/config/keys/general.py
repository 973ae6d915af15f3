"""Settings of the tree, the passphrase, and what is posted and deleted. Pure."""

from __future__ import annotations

from typing import Any, Final, Literal

from mau.config.keys.key import Key
from mau.config.kinds import Audience, Choice, Command, PathText, Switch

Received = Literal["version", "remove", "ignore"]

DIR: Final[Key[str | None]] = Key(
    "dir",
    PathText(),
    None,
    "the directory tree to work in where the current directory holds none",
    "--dir",
    "~/Mau",
)
PASSPHRASE_FILE: Final[Key[str | None]] = Key(
    "passphrase.file",
    PathText(),
    None,
    "the file whose first line is the passphrase",
    "--passphrase-file",
    "the system's keyring or the terminal is asked",
)
PASSPHRASE_COMMAND: Final[Key[str | None]] = Key(
    "passphrase.command",
    Command(),
    None,
    "the command whose first line of output is the passphrase",
    "--passphrase-command",
    "the system's keyring or the terminal is asked",
)
POST_AUDIENCE: Final[Key[tuple[str, ...] | None]] = Key(
    "post.audience",
    Audience(),
    None,
    "for whom a post is when no option says it; never everybody",
    "post --to, --friends, --me",
    "it is asked on a terminal, and an error elsewhere",
)
DELETE_RECEIVED: Final[Key[Received]] = Key(
    "delete.received",
    Choice[Received]("version", "remove", "ignore"),
    "version",
    "what becomes of a post that its author deleted: it becomes a version, it goes for good, or it stays",
    "",
)
DELETE_ON_RM: Final[Key[bool]] = Key(
    "delete.on_rm",
    Switch(),
    False,
    "whether removing a post of yours by hand tells those who could read it, as mau delete does",
    "",
)

KEYS: Final[tuple[Key[Any], ...]] = (
    DIR,
    PASSPHRASE_FILE,
    PASSPHRASE_COMMAND,
    POST_AUDIENCE,
    DELETE_RECEIVED,
    DELETE_ON_RM,
)
