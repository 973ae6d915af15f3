"""The account file was changed: what the agent keeps open is the account as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mau_cli.output import say

if TYPE_CHECKING:
    from mau.tree.layout import Root


def close_changed(root: Root) -> None:
    """Have the agent forget it, and say so. It would not be given out any more anyway (spec/agent.md A6)."""
    from mau.agent.client import forget
    from mau.errors import AgentError

    try:
        if forget(root):
            say("The account is closed again; `mau unlock` opens it.")
    except AgentError as error:
        say(f"{error}.")
