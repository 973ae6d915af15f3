"""What pictures cost that others sent: time and memory of the process that decodes each, bombs among them."""

from __future__ import annotations

import io
import statistics
import subprocess
import sys
from pathlib import Path

from PIL import Image

from mau.pictures.limits import FOREIGN
from tests.benchmarks.measure import Row
from tests.benchmarks.world import World

# A small process for each: what it starts is told apart from it, whose memory would count with it.
_ONE = """
import resource, sys
from pathlib import Path
from mau.errors import PictureRefused
from mau.pictures.asking import view_picture
shown = 1
try:
    view_picture(Path(sys.argv[1]).read_bytes(), sys.argv[2], 640, 480)
except PictureRefused:
    shown = 0
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss, shown)
"""


def run(world: World, rounds: int) -> list[Row]:
    """Rows: processor time and largest memory for each picture, within the limits that there are."""
    place = world.alice.account.root.path.parent / "pictures"
    place.mkdir()
    return [_row(place, name, *made, rounds) for name, made in _pictures().items()]


def _row(place: Path, name: str, encoding: str, data: bytes, rounds: int) -> Row:
    path = place / name.replace(" ", "-").replace("/", "-")
    path.write_bytes(data)
    argv = [sys.executable, "-c", _ONE, str(path), encoding]
    said = [
        subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split() for _ in range(rounds)
    ]
    cpu = statistics.median(float(one[0]) for one in said)
    memory = max(int(one[1]) for one in said) << 10
    shown = "shown" if said[0][2] == "1" else "refused"
    return Row(
        f"picture, {len(data) >> 10} KiB: {name}",
        f"{cpu:.2f} s, {memory >> 20} MiB, {shown}",
        aim=f"<= {FOREIGN.cpu} s, {FOREIGN.memory >> 20} MiB",
        holds=cpu <= FOREIGN.cpu + 0.5 and memory <= FOREIGN.memory,
    )


def _pictures() -> dict[str, tuple[str, bytes]]:
    noise = Image.effect_noise((4000, 3000), 50).convert("RGB")
    black, large = Image.new("RGB", (6300, 6300)), Image.new("RGB", (12_000, 12_000))
    return {
        "thumbnail": ("image/jpeg", _file(noise.resize((400, 300)), "JPEG")),
        "photograph of 12 million pixels": ("image/jpeg", _file(noise, "JPEG", quality=92)),
        "noise of 12 million pixels, PNG": ("image/png", _file(noise, "PNG", compress_level=1)),
        "zeros of 40 million pixels, PNG": ("image/png", _file(black, "PNG")),
        "zeros of 40 million pixels, WebP": ("image/webp", _file(black, "WEBP", lossless=True)),
        "zeros of 144 million pixels, progressive": ("image/jpeg", _file(large, "JPEG", progressive=True)),
        "the last scan 20,000 times": ("image/jpeg", _many_scans()),
    }


def _file(picture: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def _many_scans() -> bytes:
    data = _file(Image.new("L", (2000, 2000), 90), "JPEG", progressive=True)
    return data[:-2] + data[data.rindex(b"\xff\xda") : -2] * 20_000 + b"\xff\xd9"
