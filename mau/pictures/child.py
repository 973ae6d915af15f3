"""The process that decodes one picture and ends: what the picture makes of it is nobody else's matter.

Started by `mau.pictures.asking` with a request in JSON as its only word; the picture comes by standard input,
the answer goes to standard output: a line of JSON, then bytes. It sets its own limits before it reads
anything: a picture that unpacks to more than there is room for ends here. That is no sandbox: limits hold
back what decoders do by mistake or by design of their formats.
"""

from __future__ import annotations

import json
import resource
import sys
from dataclasses import asdict
from typing import Any, Final

from mau.errors import PictureRefused
from mau.pictures.limits import Limits

_FILES: Final = 32  # that are open at once; modules are loaded from files


def main() -> int:
    """Answer one request; 0 also when the answer is that the picture is refused."""
    request = json.loads(sys.argv[1])
    limits = Limits(**request["limits"])
    _restrict(limits)
    try:
        head, payload = _answer(request, limits)
    except PictureRefused as error:
        head, payload = {"problem": str(error)[:500]}, []
    except MemoryError:
        head, payload = {"problem": "it needs more memory than a picture is given"}, []
    except Exception as error:  # decoders end in whatever error the bytes lead to
        head, payload = {"problem": f"it cannot be decoded ({type(error).__name__})"}, []
    sys.stdout.buffer.write(json.dumps(head).encode() + b"\n" + b"".join(payload))
    sys.stdout.buffer.flush()
    return 0


def _restrict(limits: Limits) -> None:
    for what, most in (
        (resource.RLIMIT_AS, limits.memory),
        (resource.RLIMIT_CPU, limits.cpu),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, _FILES),
    ):
        _, hard = resource.getrlimit(what)
        limit = most if hard == resource.RLIM_INFINITY else min(most, hard)
        try:
            resource.setrlimit(what, (limit, limit))
        except (OSError, ValueError):  # a system that knows the limit and does not let it be set (macOS: AS)
            continue


def _answer(request: dict[str, Any], limits: Limits) -> tuple[dict[str, Any], list[bytes]]:
    from mau.pictures.decoding import cleaned, measured, viewed

    data = sys.stdin.buffer.read(limits.file + 1)
    if len(data) > limits.file:
        raise PictureRefused(f"it has more than {limits.file >> 20} MiB")
    encoding = request["encoding"]
    match request["do"]:
        case "view":
            size = request["width"], request["height"]
            picture = viewed(data, encoding, *size, request["colours"], limits.pixels)
            palette = bytes(picture.getpalette() or ()) if picture.mode == "P" else b""
            head = {"mode": picture.mode, "size": picture.size, "palette": len(palette)}
            return head, [palette, picture.tobytes()]
        case _:
            treat = cleaned if request["do"] == "clean" else measured
            made = [one for one in treat(data, encoding, limits.pixels) if one is not None]
            facts = [{key: value for key, value in asdict(one).items() if key != "data"} for one in made]
            sizes = [len(one.data) for one in made]
            return {"files": [{**one, "bytes": size} for one, size in zip(facts, sizes, strict=True)]}, [
                one.data for one in made
            ]
