"""QR codes in characters: what stands on the screen is the code, module by module."""

from __future__ import annotations

import pytest
import segno

from mau.fingerprint import Fingerprint
from mau.invite.facts import new_token
from mau.invite.link import Link, format_link
from mau.invite.qr import WIDTH, qr_lines

HALVES = {" ": (0, 0), "▀": (1, 0), "▄": (0, 1), "█": (1, 1)}
LINK = Link(
    Fingerprint(bytes(range(20))), "Alice Liddell", (("alice.example.org", 8880), ("192.168.1.2", 8880))
)


def modules(lines: list[str], *, inked: bool) -> list[list[int]]:
    """What is dark, as somebody sees it who knows which colours there are."""
    rows = []
    for line in lines:
        for half in (0, 1):
            rows.append([HALVES[character][half] ^ (not inked) for character in line])
    return rows


@pytest.mark.parametrize("inked", [True, False])
def test_it_is_the_code_with_its_border(inked: bool) -> None:
    text = format_link(LINK)
    code = [list(row) for row in segno.make_qr(text, error="l", boost_error=False).matrix_iter(border=4)]
    shown = modules(qr_lines(text, inked=inked), inked=inked)
    assert [[int(bool(one)) for one in row] for row in shown][: len(code)] == [
        [int(bool(one)) for one in row] for row in code
    ]
    assert not any(any(row) for row in shown[len(code) :])  # the rest is light, as the border is


def test_a_usual_link_fits_a_terminal() -> None:
    text = format_link(Link(LINK.fingerprint, LINK.name, LINK.addresses, (), new_token()))
    lines = qr_lines(text, inked=True)
    assert {len(line) for line in lines} == {len(lines[0])}
    assert len(lines[0]) <= WIDTH
