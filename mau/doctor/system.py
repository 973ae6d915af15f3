"""Libraries, limits of the system, and the service."""

from __future__ import annotations

import contextlib
import re
import resource
import sys
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Final

from mau.doctor.finding import Finding
from mau.tree.layout import Root

_DISTRIBUTION: Final = "mau-p2p"
_PINNED: Final = re.compile(r"([A-Za-z0-9._-]+)==([A-Za-z0-9.]+)")
_INOTIFY: Final = Path("/proc/sys/fs/inotify")
_FILES: Final = 512
_OPENSSL: Final = (3, 0)


def examine_system(root: Root) -> list[Finding]:
    """All of them."""
    found = judge_versions(sys.version_info[:2], _openssl(), _pins(), _installed)
    watches = _number(_INOTIFY / "max_user_watches")
    if watches is not None:
        found += judge_watches(watches, 1 + len(root.authors()))
    found += judge_files(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    return found + _service()


def judge_versions(
    python: Sequence[int], openssl: Sequence[int], pins: Mapping[str, str], installed: Mapping[str, str]
) -> list[Finding]:
    """What is wrong with the versions of Python, OpenSSL and the pinned libraries. Pure."""
    found = []
    if not (3, 11) <= tuple(python) < (3, 14):
        found.append(
            Finding(
                "system",
                f"this is Python {'.'.join(map(str, python))}",
                "Mau is tested with 3.11, 3.12 and 3.13",
                "use one of those",
            )
        )
    if tuple(openssl) < _OPENSSL:
        found.append(
            Finding(
                "system",
                f"TLS is done by OpenSSL {'.'.join(map(str, openssl))}",
                "it no longer gets corrections",
                "pip install --upgrade cryptography",
            )
        )
    for name, version in pins.items():
        here = installed.get(name)
        if here != version:
            found.append(
                Finding(
                    "system",
                    f"{name} is {'missing' if here is None else 'of version ' + here}, not {version}",
                    "Mau was tested with that version of it, and relies on how it behaves",
                    f"pip install {name}=={version}",
                )
            )
    return found


def judge_watches(limit: int, needed: int) -> list[Finding]:
    """Whether so many directories can be watched. Pure."""
    if needed <= limit * 0.8:
        return []
    return [
        Finding(
            "system",
            f"{needed} directories are to be watched, and the system allows {limit} to all your programs",
            "what is changed by hand shows after the next rescan only, minutes later",
            f"sudo sysctl fs.inotify.max_user_watches={max(8192, 4 * needed)}",
        )
    ]


def judge_files(limit: int) -> list[Finding]:
    """Whether enough files and connections can be open at once. Pure."""
    if limit == resource.RLIM_INFINITY or limit >= _FILES:
        return []
    return [
        Finding(
            "system",
            f"a program may have {limit} files open at once",
            "each connection of a friend is one, so the server turns people away",
            "ulimit -n 4096, or LimitNOFILE=4096 in the service",
        )
    ]


def _openssl() -> tuple[int, ...]:
    from cryptography.hazmat.backends.openssl.backend import backend

    match = re.search(r"(\d+)\.(\d+)", backend.openssl_version_text())
    return (int(match[1]), int(match[2])) if match else (0, 0)


def _pins() -> dict[str, str]:
    """The libraries of which exactly one version will do."""
    try:
        needed = metadata.requires(_DISTRIBUTION) or []
    except metadata.PackageNotFoundError:  # run from a checkout
        return {}
    found = (_PINNED.match(one) for one in needed if ";" not in one)
    return {match[1]: match[2] for match in found if match}


class _Installed(dict[str, str]):
    """Versions by name, looked up when asked for."""

    def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]
        with contextlib.suppress(metadata.PackageNotFoundError):
            return metadata.version(name)
        return default


_installed: Final = _Installed()


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text("ascii"))
    except (OSError, ValueError):
        return None


def _service() -> list[Finding]:
    """Whether the service that was installed runs."""
    from mau.daemon import systemd

    if not systemd.unit_file().exists() or systemd.state("is-active") != "failed":
        return []
    return [
        Finding(
            "system",
            "the service of Mau has failed",
            "nothing is served, fetched or watched",
            f"journalctl --user -u {systemd.unit_file().name} says why; then mau service install",
        )
    ]
