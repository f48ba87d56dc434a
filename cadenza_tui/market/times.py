"""Which of two times of the wire is the older one, where they may be spelled in different grains."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cadenza_tui.market.records import Nanoseconds

SECOND = 1_000_000_000
DAY = 86_400 * SECOND
_MICROSECOND, _MILLISECOND = 1_000, 1_000_000


def older(time: Nanoseconds | None, held: Nanoseconds | None) -> bool:
    """Return whether ``time`` is surely before ``held``; never where one of them is unknown.

    A publication gives whole milliseconds where a query's answer gives nanoseconds of the same moment: both
    are compared by the coarser of the two, or the next change within that millisecond would seem older.
    """
    if time is None or held is None or time >= held:
        return False
    grain = max(_grain(time), _grain(held))
    return time // grain < held // grain


def later(time: Nanoseconds | None, other: Nanoseconds | None) -> Nanoseconds | None:
    """Return the later of two times, the known one where one is unknown."""
    if time is None or other is None:
        return other if time is None else time
    return max(time, other)


def _grain(time: Nanoseconds) -> int:
    if time % _MICROSECOND:
        return 1
    return _MICROSECOND if time % _MILLISECOND else _MILLISECOND
