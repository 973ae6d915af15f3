"""Which directory tree a run is about, as the settings say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mau.config.file import expand
from mau.config.keys import DIR
from mau.tree.layout import Root

if TYPE_CHECKING:
    from mau.config.settings import Config


def root_of(config: Config) -> Root:
    """The tree of the option or MAU_DIR; else where one stands, the file's, ``~/Mau`` (spec/tree.md L1)."""
    setting = config.setting(DIR)
    if setting.value is None:
        return Root.find()
    # What the file says stands for ~/Mau; it does not take one out of the tree one stands in.
    named = expand(setting.value)
    return Root.find(fallback=named) if setting.origin == "file" else Root.find(named)
