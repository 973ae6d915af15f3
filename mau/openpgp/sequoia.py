"""Calling pysequoia: its errors are plain RuntimeErrors with a backtrace, its panics are BaseExceptions."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class SequoiaError(Exception):
    """What pysequoia said, in one line. Never leaves this package."""


def call(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call into pysequoia; whatever goes wrong there is one SequoiaError."""
    try:
        return function(*args, **kwargs)
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:
        raise SequoiaError(str(error).split("\n", 1)[0]) from None
