"""The passphrase in the system's keyring, and the note in the tree that it is there.

The keyring is the Secret Service, the Keychain or whatever the library ``keyring`` finds; that library and
its backend take 90 ms to load and may put a window on the screen, so they are asked only where the note
``.account/remembered`` says that there is something to ask for. The note holds the fingerprint, which is also
the entry's user name. Like all state beside the tree it may be deleted: the terminal asks again then.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from mau.errors import InvalidFingerprint, PassphraseError, TreeError
from mau.fingerprint import Fingerprint
from mau.tree import safe

if TYPE_CHECKING:
    from types import ModuleType

    from mau.tree.layout import Root

SERVICE = "mau"


def is_remembered(root: Root) -> bool:
    """Whether the note says that the system's keyring has this account's passphrase."""
    return _noted(root) is not None


def recall(root: Root, warn: Callable[[str], None] = lambda words: None) -> str | None:
    """Return the remembered passphrase; None when there is none or the keyring does not give it."""
    fingerprint = _noted(root)
    if fingerprint is None:
        return None
    try:
        text: str | None = _library().get_password(SERVICE, fingerprint.hex)
    except Exception as error:  # a backend may raise anything
        warn(f"warning: the system's keyring does not answer ({_words(error)})")
        return None
    return text or None


def remember(root: Root, fingerprint: Fingerprint, text: str) -> str:
    """Store the passphrase, which must be proven; return the name of the keyring that took it.

    Raises PassphraseError when there is no keyring or it does not keep it.
    """
    try:
        library = _library()
        library.set_password(SERVICE, fingerprint.hex, text)
        # Read back: the backend "null" takes everything and keeps nothing.
        kept = library.get_password(SERVICE, fingerprint.hex) == text
        name = str(library.get_keyring().name)
    except Exception as error:  # a backend may raise anything
        raise PassphraseError(
            f"the system's keyring does not take the passphrase ({_words(error, text)})"
        ) from None
    if not kept:
        raise PassphraseError(f"the system's keyring ({name}) does not keep what it is given")
    safe.write_bytes(root.remembered_file, fingerprint.hex.encode() + b"\n")
    return name


def forget(root: Root) -> bool:
    """Delete the entry and the note; return whether there was one. PassphraseError when it stays stored."""
    fingerprint = _noted(root)
    if fingerprint is None:
        return False
    try:
        library = _library()
        if library.get_password(SERVICE, fingerprint.hex) is not None:
            library.delete_password(SERVICE, fingerprint.hex)
    except Exception as error:  # a backend may raise anything
        raise PassphraseError(f"the system's keyring does not forget ({_words(error)})") from None
    root.remembered_file.unlink(missing_ok=True)
    return True


def _noted(root: Root) -> Fingerprint | None:
    with suppress(TreeError, InvalidFingerprint, UnicodeDecodeError, OSError):
        return Fingerprint.parse(safe.read_bytes(root.remembered_file, 100).decode("ascii").strip())
    return None


def _library() -> ModuleType:
    import keyring

    return keyring


def _words(error: Exception, secret: str = "") -> str:
    """The beginning of what the backend said, unless the passphrase is in it."""
    said = str(error).partition("\n")[0][:120]
    if secret and secret in str(error):
        said = ""
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
