"""How far a sync is, in one line."""

from __future__ import annotations

import pytest

from mau_cli.bar import words


@pytest.mark.parametrize(
    ("state", "line"),
    [
        ((0, 0, 0, 0, 0.0, 0, 0), "[####################] 0/0 files, 0/0 KiB"),
        ((0, 10, 0, 10240, 5.0, 0, 0), "[--------------------] 0/10 files, 0/10 KiB"),
        (
            (500, 1000, 1 << 20, 2 << 20, 0.5, 500, 1 << 20),
            "[##########----------] 500/1,000 files, 1,024/2,048 KiB",
        ),
        (
            (500, 1000, 1 << 20, 2 << 20, 5.0, 250, 1 << 19),
            "[##########----------] 500/1,000 files, 1,024/2,048 KiB, 50/s, 102 KiB/s, 10 s left",
        ),
        (  # one large file is left: its bytes count
            (999, 1000, 1 << 20, 101 << 20, 10.0, 10, 1 << 20),
            "[###################-] 999/1,000 files, 1,024/103,424 KiB, 1/s, 102 KiB/s, 17 min left",
        ),
        (
            (1000, 100_000, 1 << 20, 100 << 20, 10.0, 10, 1 << 10),
            "[--------------------] 1,000/100,000 files, 1,024/102,400 KiB, 1/s, 0 KiB/s, 281.6 h left",
        ),
        (
            (10, 10, 1 << 20, 1 << 20, 10.0, 10, 1 << 20),
            "[####################] 10/10 files, 1,024/1,024 KiB, 1/s, 102 KiB/s",
        ),
    ],
)
def test_the_line_says_how_far_how_fast_and_how_long(
    state: tuple[int, int, int, int, float, int, int], line: str
) -> None:
    assert words(*state) == line
