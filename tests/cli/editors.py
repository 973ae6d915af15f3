"""Editors that do what a test says, instead of a person."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest


class Editor:
    """The editor of the test: a shell script; its file is ``$1``, and what it was given stays in `given`."""

    def __init__(self, place: Path, patch: pytest.MonkeyPatch) -> None:
        self._script = place / "editor.sh"
        self._given = place / "given"
        self._patch = patch
        for variable in ("VISUAL", "EDITOR"):
            patch.delenv(variable, raising=False)

    def does(self, words: str) -> None:
        """From now on it does that."""
        self._script.write_text(f'cp "$1" {shlex.quote(str(self._given))}\n{words}\n')
        self._patch.setenv("MAU_EDITOR", f"sh {shlex.quote(str(self._script))}")

    def sets(self, *changes: str, text: str = "") -> None:
        """From now on it runs these commands of sed, and adds a text at the end."""
        options = " ".join(f"-e {shlex.quote(change)}" for change in changes) or "-e ''"
        self.does(f'sed -i {options} "$1"; printf %s {shlex.quote(text)} >> "$1"')

    def writes(self, text: str) -> None:
        """From now on it writes that in the place of what it is given."""
        self.does(f'printf %s {shlex.quote(text)} > "$1"')

    @property
    def given(self) -> str:
        """What it was given last."""
        return self._given.read_text()


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Editor:
    made = Editor(tmp_path, monkeypatch)
    made.does("true")
    return made
