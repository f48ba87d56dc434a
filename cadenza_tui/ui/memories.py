"""What panes remember from frame to frame, for each instrument on its own."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from cadenza_tui.market.records import InstrumentId

MEMORIES_KEPT = 16
"""Instruments of which a pane remembers anything; what is lost then is widths and a place. More than have a
key, and few, since what is remembered holds on to the samples and prints that it was made from."""


class Memory(Protocol):
    """What a pane remembers. All of this takes effect with the next frame."""

    def move(self, by: int) -> None:
        """Move the cursor, or the rows, down if positive."""

    def page(self, by: int) -> None:
        """Move by about what is in sight."""

    def centre(self) -> None:
        """Follow the market again."""

    def release(self) -> bool:
        """Let go of the cursor; return whether there was one."""


Anything = TypeVar("Anything")
Remembered = TypeVar("Remembered", bound=Memory)


def remembered(
    kept: dict[InstrumentId, Anything], instrument_id: InstrumentId, make: Callable[[], Anything]
) -> Anything:
    """Return what is kept of an instrument, nothing yet at first; the latest looked at are not let go."""
    held = kept.pop(instrument_id, None)
    if held is None:
        held = make()
        while len(kept) >= MEMORIES_KEPT:
            del kept[next(iter(kept))]
    kept[instrument_id] = held
    return held


class Kept(Generic[Remembered]):
    """What a pane remembers of each instrument, as many as there is sense in."""

    def __init__(self, make: Callable[[InstrumentId], Remembered]) -> None:
        self._make = make
        self._kept: dict[InstrumentId, Remembered] = {}

    def of(self, instrument_id: InstrumentId) -> Remembered:
        """Return what is remembered of an instrument, nothing yet at first."""
        return remembered(self._kept, instrument_id, partial(self._make, instrument_id))
