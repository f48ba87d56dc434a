"""What can be chosen about the ladder."""

from __future__ import annotations

from cadenza_tui.view.choices import Choice

SHAPE = Choice("shape", "shape", ("stack", "dom"), "asks above bids, or one axis of prices that stays put")
RECENTRE = Choice(
    "recentre",
    "re-centre",
    ("edge", "always", "never"),
    "when the axis of prices follows the touch: near an edge, always, or only when asked to",
)
BARS = Choice(
    "bars", "size bars", ("root", "linear", "log", "off"), "how the length of a bar follows the size"
)
CUMULATIVE = Choice(
    "cumulative", "cumulative", ("quantity", "notional", "off"), "sizes from the touch on, added up"
)
DEPTH = Choice("depth", "imbalance over", ("20", "5", "10", "50", "all"), "levels a side that it weighs")
TRADED = Choice(
    "traded", "traded", ("off", "on"), "what was sold and bought at each price since watching began"
)
STACKED = Choice(
    "stacked", "pulled, stacked", ("off", "on"), "sizes taken away and added since the touch last moved"
)
QUEUE = Choice("queue", "queue ahead", ("on", "off"), "what stands before the own orders at their price")
ORDERS = Choice(
    "orders", "order counts", ("on", "off"), "how many orders stand at a price, where the book says"
)
EXCHANGE = Choice("exchange", "exchange", ("on", "off"), "who quotes a level, where the book says")
TOUCH = Choice("touch", "touch line", ("on", "off"), "spread, mid, microprice and imbalance")

CHOICES: tuple[Choice, ...] = (
    SHAPE,
    RECENTRE,
    BARS,
    CUMULATIVE,
    DEPTH,
    TRADED,
    STACKED,
    QUEUE,
    ORDERS,
    EXCHANGE,
    TOUCH,
)
