"""What is looked at, for the feed asks for no more than that; and where the chart's candles come from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
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
    ranked: bool = False
    """Whether the watchlist is sorted by what tickers say, so that rows out of sight count too."""
    days: bool = False
    """Whether the watchlist has room for what the last day was: volume and the line of its prices."""


class CandleOrigin(StrEnum):
    """Who made the candles of a chart."""

    ASKED = "asked"
    """The server is being asked: nobody knows yet."""
    SERVER = "server"
    """The server: those before by query, and what follows by its channel."""
    HISTORY = "history"
    """The server by query alone: what follows has to be made from prints until it is asked again."""
    PRINTS = "prints"
    """Nobody but us, from prints."""


@dataclass(frozen=True, slots=True)
class CandleSource:
    """Where an instrument's candles of one interval come from, and why from no better place."""

    origin: CandleOrigin
    reason: str = ""
