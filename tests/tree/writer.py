"""A program that writes one post again and again, for the tests of several at once: prints what it wrote."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from mau.fingerprint import Fingerprint
from mau.tree.layout import Root
from mau.tree.posts import AuthorDir


def main(base: str, who: str, times: str, names: str, own: str) -> None:
    directory = AuthorDir(Root(Path(base)), Fingerprint(bytes(range(20))), own=own == "own")
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(int(times)):
        data = f"{who} {number} ".encode() * (1 + number % 50)
        name = f"x{number % int(names)}.pgp"
        with directory.stage() as staged:
            staged.file.write(data)
            done = directory.commit(staged, name)
        assert done.sha256 == hashlib.sha256(data).hexdigest()
        print(name, done.sha256, done.replaced, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
