"""The name under which a file is kept: read back as other programs read it."""

from __future__ import annotations

import re
from email.message import Message
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mau.errors import InvalidName
from mau.server.disposition import attachment
from mau.tree.names import check_post_name

CHARACTERS = st.text(
    st.one_of(st.characters(codec="utf-8"), st.sampled_from("\"%;=*' \\é.\u202e\U0001f375")), max_size=80
)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("kettle.pgp", 'attachment; filename="kettle.pgp"'),
        ("two words; x=1.pgp", 'attachment; filename="two words; x=1.pgp"'),
        ("thé.pgp", "attachment; filename=\"th_.pgp\"; filename*=UTF-8''th%C3%A9.pgp"),
        ('a"b%41.pgp', "attachment; filename=\"a_b_41.pgp\"; filename*=UTF-8''a%22b%2541.pgp"),
        ("it's.é.pgp", "attachment; filename=\"it's._.pgp\"; filename*=UTF-8''it%27s.%C3%A9.pgp"),
    ],
)
def test_names(name: str, value: str) -> None:
    assert attachment(name) == value


@given(CHARACTERS)
def test_any_name_of_the_tree_comes_back(stem: str) -> None:
    try:
        name = check_post_name(stem + ".pgp")
    except InvalidName:
        return
    value = attachment(name)
    assert re.fullmatch(
        r'attachment; filename="[ !#$&-\[\]-~]+"(; filename\*=UTF-8\'\'[!#$%&+\w.^`|~-]+)?', value
    )
    first, *exact = value.split("; filename*=")
    plain = re.sub(r'[^ -~]|["%\\]', "_", name)
    assert first == f'attachment; filename="{plain}"'
    assert message_of(first).get_filename() == plain.strip()  # which the standard library always does
    if exact:
        # A reader that knows the second form prefers it; the standard library's takes the first it sees.
        assert message_of(f"attachment; filename*={exact[0]}").get_filename() == name.strip()
        assert unquote(exact[0].removeprefix("UTF-8''"), errors="strict") == name
    else:
        assert plain == name


def message_of(disposition: str) -> Message:
    message = Message()
    message["Content-Disposition"] = disposition
    return message
