"""Having a picture decoded: by a process of its own, whose answer is believed no more than the picture.

What comes back is bounded in size and checked; whatever goes wrong over there is one PictureRefused here.
Blocking: programs with an event loop call it in a thread.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from mau.confined import running
from mau.errors import PictureRefused
from mau.pictures.limits import FOREIGN, MAX_HEAD, OWN, Limits
from mau.pictures.pixels import Pixels

_START: Final = (
    "import json, sys; sys.path[:0] = json.loads(sys.argv[1])['places']; "
    "from mau.pictures.child import main; sys.exit(main())"
)
_CHANNELS: Final = {"RGB": 3, "RGBA": 4, "P": 1}


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as a file. Width and height in pixels."""

    data: bytes
    encoding: str
    width: int
    height: int


def clean_picture(data: bytes, encoding: str, limits: Limits = OWN) -> tuple[Picture, Picture | None]:
    """The picture without metadata, upright, and a thumbnail where it needs one. PictureRefused."""
    return _files({"do": "clean", "encoding": encoding}, data, limits)


def measure_picture(data: bytes, encoding: str, limits: Limits = OWN) -> tuple[Picture, Picture | None]:
    """The picture as it is, and a thumbnail where it needs one. PictureRefused."""
    return _files({"do": "measure", "encoding": encoding}, data, limits)


def view_picture(
    data: bytes, encoding: str, width: int, height: int, *, colours: int = 0, limits: Limits = FOREIGN
) -> Pixels:
    """The picture's first frame, at most `width` x `height` pixels, in RGB or RGBA; PictureRefused.

    With `colours` (at most 256) in a palette of so many.
    """
    request = {"do": "view", "encoding": encoding, "width": width, "height": height, "colours": colours}
    head, payload = _ask(request, data, limits)
    match head:
        case {"mode": str(mode), "size": [int(wide), int(high)], "palette": int(palette)} if (
            mode in _CHANNELS
        ):
            channels = _CHANNELS[mode]
            fits = 0 < wide <= width and 0 < high <= height and 0 <= palette <= 768
            if fits and len(payload) == palette + wide * high * channels:
                return Pixels(wide, high, payload[palette:], channels, payload[:palette])
    raise PictureRefused("it cannot be decoded")


def _files(request: dict[str, Any], data: bytes, limits: Limits) -> tuple[Picture, Picture | None]:
    head, payload = _ask(request, data, limits)
    found: list[Picture] = []
    for one in head.get("files", []):
        match one:
            case {"encoding": str(encoding), "width": int(width), "height": int(height), "bytes": int(size)}:
                found.append(Picture(payload[:size], encoding, width, height))
                payload = payload[size:]
    if not 1 <= len(found) <= 2 or payload:
        raise PictureRefused("it cannot be decoded")
    return found[0], found[1] if len(found) == 2 else None


def _ask(request: dict[str, Any], data: bytes, limits: Limits) -> tuple[dict[str, Any], bytes]:
    """The answer's head and what follows it."""
    words = json.dumps({**request, "limits": asdict(limits), "places": _places()})
    try:
        with running(["-I", "-S", "-B", "-c", _START, words], data, limits.wall) as answer:
            line = answer.readline(MAX_HEAD)
            payload = answer.read(limits.answer + 1)
    except OSError as error:
        raise PictureRefused(f"no process can be started to decode it: {error.strerror}") from None
    return _head(line, payload, limits), payload


def _head(line: bytes, payload: bytes, limits: Limits) -> dict[str, Any]:
    try:
        head = json.loads(line)
    except ValueError:
        head = None
    if not isinstance(head, dict) or len(payload) > limits.answer:
        # It was ended: by its own limits, by ours, or by a decoder that broke.
        raise PictureRefused("decoding it takes more time or memory than a picture is given, or breaks it")
    if "problem" in head:
        raise PictureRefused(str(head["problem"])[:500])
    return head


def _places() -> list[str]:
    """Where this package and Pillow lie: the other process looks nowhere else."""
    spec = find_spec("PIL")
    if spec is None or spec.origin is None:
        raise PictureRefused("Pillow is not installed, so no picture can be decoded")
    return [str(Path(__file__).parents[2]), str(Path(spec.origin).parents[1])]
