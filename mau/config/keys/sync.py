"""Settings of what is fetched of the people one follows. Pure."""

from __future__ import annotations

from typing import Any, Final

from mau.config.keys.key import Key
from mau.config.kinds import Size, Switch, Whole

SYNC_ASK_FRIENDS: Final[Key[bool]] = Key(
    "sync.ask_friends",
    Switch(),
    True,
    "whether friends are asked for the posts of one who is away, which tells them whom you follow",
    "",
)
SYNC_MAX_FILE: Final[Key[int]] = Key(
    "sync.max_file",
    Size(),
    1 << 30,
    "the largest file that is fetched by itself; 0 is no limit",
    "",
)
SYNC_QUOTA: Final[Key[int]] = Key(
    "sync.quota",
    Size(),
    10 << 30,
    "the most that is held of one person you follow, older versions included; 0 is no limit",
    "",
)
SYNC_QUOTA_FILES: Final[Key[int]] = Key(
    "sync.quota_files",
    Whole(1, 10**9, off=True),
    200_000,
    "the most files and versions that are held of one person you follow; 0 is no limit",
    "",
)
SYNC_TREE_QUOTA: Final[Key[int]] = Key(
    "sync.tree_quota",
    Size(),
    100 << 30,
    "the most that is held of everybody you follow together; 0 is no limit",
    "",
)
SYNC_FREE: Final[Key[int]] = Key(
    "sync.free",
    Size(),
    256 << 20,
    "what stays free on the disk, whoever wants to be fetched",
    "",
)

KEYS: Final[tuple[Key[Any], ...]] = (
    SYNC_ASK_FRIENDS,
    SYNC_MAX_FILE,
    SYNC_QUOTA,
    SYNC_QUOTA_FILES,
    SYNC_TREE_QUOTA,
    SYNC_FREE,
)
