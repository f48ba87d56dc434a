"""What is looked at: the feed asks the server for no more than that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cadenza_tui.market.records import InstrumentId


@dataclass(frozen=True, slots=True)
class Interest:
    """What the screen shows beside the instrument that is selected and the pinned ones."""

    visible: tuple[InstrumentId, ...] = ()
    """Rows of the watchlist that are in sight: their tickers are wanted."""
    venues: tuple[InstrumentId, ...] = ()
    """One symbol over its venues: their books are wanted."""
    candles: tuple[InstrumentId, str] | None = None
    """The instrument and interval of the chart."""
