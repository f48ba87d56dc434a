"""Makes an input that is a fault small, so that it can be kept and read."""

from __future__ import annotations

import time
import traceback
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

SHRINK_S = 20.0


def fault_of(run: Callable[[bytes], None], data: bytes) -> str:
    """Return what an input raises and where, "" where it raises nothing."""
    try:
        run(data)
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__} in {place.name}:{place.lineno}"
    return ""


def shrunk(run: Callable[[bytes], None], data: bytes, seconds: float = SHRINK_S) -> bytes:
    """Return the smallest input that could be found in that time with the same fault."""
    fault = fault_of(run, data)
    ends = time.monotonic() + seconds
    size = max(1, len(data) // 2)
    while size and time.monotonic() < ends:
        place = 0
        while place < len(data) and time.monotonic() < ends:
            shorter = data[:place] + data[place + size :]
            if fault_of(run, shorter) == fault:
                data = shorter
            else:
                place += size
        size //= 2
    return data
