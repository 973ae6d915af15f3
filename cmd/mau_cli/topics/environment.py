"""The variables that are read; those of settings from the table of settings."""

from __future__ import annotations

from textwrap import wrap

from mau.config.keys import KEYS

READ = {
    "MAU_DIR": "the directory tree to work in, as --dir",
    "MAU_PASSPHRASE": "the passphrase; mau help settings says what else gives it",
    "MAU_CONFIG": "the file of settings, instead of ~/.config/mau/config.toml",
    "MAU_DEBUG": "1 shows tracebacks, and more of what goes on",
    "MAU_EDITOR": "the editor for mau new and mau edit; else VISUAL, else EDITOR",
    "VISUAL": "the same",
    "EDITOR": "the same",
    "MAU_PAGER": "what shows long output on a terminal; else PAGER",
    "PAGER": "the same",
    "NO_COLOR": "anything: no colours (no-color.org)",
    "CLICOLOR": "0: no colours",
    "CLICOLOR_FORCE": "1: colours in a pipe too; FORCE_COLOR is the same",
    "FORCE_COLOR": "the same",
    "TERM": "dumb: no colours, no pictures, nothing that moves",
    "COLUMNS": "how wide help is written, when it is not what the terminal says",
    "LANGUAGE": "the languages one reads, when reader.languages says none; else LC_ALL, LC_MESSAGES, LANG",
    "LC_ALL": "the same",
    "LC_MESSAGES": "the same",
    "LANG": "the same",
    "XDG_CONFIG_HOME": "where mau/config.toml lies, instead of ~/.config",
    "XDG_STATE_HOME": "where the keyring's counter lies, instead of ~/.local/state",
    "XDG_RUNTIME_DIR": "where the agent listens, and where posts lie while they are edited",
    "CREDENTIALS_DIRECTORY": "where systemd puts the passphrase of the service",
    "NOTIFY_SOCKET": "where systemd is told how the service is",
}


def text() -> str:
    """Each variable with what it does."""
    width = max(map(len, READ)) + 2
    lines = ["These variables are read. One that is empty counts as not set.", ""]
    for name, words in READ.items():
        first = f"  {name:<{width}}"
        lines += wrap(words, 76, initial_indent=first, subsequent_indent=" " * len(first))
    lines += ["", "Each setting has a variable, too. It wins over the file, and the option over both.", ""]
    longest = max(len(key.variable) for key in KEYS) + 2
    lines += [f"  {key.variable:<{longest}}{key.name}" for key in KEYS if key.variable not in READ]
    return "\n".join(lines)
