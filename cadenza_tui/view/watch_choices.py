"""What can be chosen about the watchlist."""

from __future__ import annotations

from cadenza_tui.view.choices import Choice

SORT = Choice(
    "sort",
    "sort",
    ("pinned", "change", "volume", "spread", "last", "name"),
    "the order of the rows; it stands still while a cursor is in the list",
)
CHANGE = Choice("change", "change", ("on", "off"), "percent since a day ago")
SPREAD = Choice("spread", "spread", ("on", "off"), "between bid and ask, in bps")
VOLUME = Choice("volume", "volume", ("on", "off"), "of the last 24 hours in the base, where there is room")
TREND = Choice(
    "trend", "trend", ("24h", "session", "off"), "a line of prices: the last day, or since watching began"
)
TOUCH = Choice("touch", "bid, ask", ("on", "off"), "the best prices, where there is room")
AGE = Choice("age", "age", ("on", "off"), "how old what is shown is, where there is room")
VENUES = Choice("venues", "venues", ("on", "off"), "the selected symbol over every venue that quotes it")

CHOICES: tuple[Choice, ...] = (SORT, CHANGE, SPREAD, VOLUME, TREND, TOUCH, AGE, VENUES)
