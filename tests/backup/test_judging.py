"""What becomes of a content, by what is held under its name (spec/backup.md B22-B24)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mau.backup.judging import Content, decide

SUMS = st.sampled_from(["a" * 64, "b" * 64])
TIMES = st.integers(0, 3)


@given(SUMS, TIMES, st.none() | SUMS, st.none() | TIMES)
def test_only_what_is_free_older_or_does_not_hold_is_taken(
    sha256: str, signed_at: int, held: str | None, since: int | None
) -> None:
    decided = decide(Content(sha256, 1, b"x"), signed_at, held, lambda: since)
    if held == sha256:
        assert decided == "same"
    elif held is None or since is None or since < signed_at:
        assert decided == "take"
    else:
        assert decided == "older"
