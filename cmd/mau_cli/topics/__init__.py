"""What `mau help TOPIC` explains: one module for each topic, its text made of the code where it can be.

A text is paragraphs with empty lines between them; lines that begin with two spaces stand as they are.
"""

from __future__ import annotations

from importlib import import_module
from typing import Final

# Topic -> its one line. The module is mau_cli.topics.TOPIC, with _ for -.
TOPICS: Final[dict[str, str]] = {
    "audiences": "For whom a post is, and how that is said.",
    "references": "How posts and people are named in commands.",
    "editors": "How posts are edited with other programs.",
    "formats": "What the files are, and what commands print.",
    "algorithms": "In which order posts are shown, and how to choose another.",
    "terminal": "Colours, width, pipes, and what happens without a terminal.",
    "environment": "The variables that are read.",
    "settings": "Everything that can be set.",
    "exit-codes": "What the number says with which a command ends.",
}


def topic_text(topic: str) -> str:
    """The text of a topic that is in the table."""
    text = import_module(f"mau_cli.topics.{topic.replace('-', '_')}").text()
    if not isinstance(text, str):
        raise TypeError(f"the text of {topic} is none")
    return text.strip("\n")
