"""What a ladder remembers of one instrument from frame to frame: columns, the cursor, where it looks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cadenza_tui.view.ladder_flow import FlowTexts
from cadenza_tui.view.ladder_widths import LadderWidths
from cadenza_tui.view.numbers import price_decimals, significant_decimals

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from cadenza_tui.market.book import OrderBook
    from cadenza_tui.market.grouped import Group, Grouped
    from cadenza_tui.market.records import Instrument
    from cadenza_tui.market.sides import Level
    from cadenza_tui.view.ladder_touch import Touch
    from cadenza_tui.view.rows import Row

MOST_STEPS = 4096


@dataclass(slots=True)
class LadderMemory:
    """One for each instrument. What the user does here takes effect with the next frame."""

    cursor: Decimal | None = None
    """The price that the cursor stands on: it stays there when the book moves."""
    bid: bool = True
    """Whether the cursor stands among the bids."""
    unfolded: Decimal | None = None
    """The price whose single orders are shown."""
    widths: LadderWidths = field(default_factory=LadderWidths)
    flow: FlowTexts = field(default_factory=FlowTexts)
    groups: dict[bool, Grouped] = field(default_factory=dict)
    """Groups of bids and asks, where nobody else keeps them."""
    spelled: dict[bool, tuple[Sequence[Group], Sequence[Level]]] = field(default_factory=dict)
    """The groups of the last frame, and how they are spelled."""
    touch: tuple[tuple[Level | None, Level | None, int], Touch] | None = None
    """The best levels, and what the touch line says about them."""
    decimals: int = 0
    """Of prices, where the instrument does not say."""
    shift: int = 0
    """Rows that the touch stands below the middle, in the stack."""
    follows: bool = True
    """Whether the stack shows the cursor wherever it is: from when it moves until the touch is centred."""
    top: int | None = None
    """The number of the first row's price on the axis, in steps of it; None before the first frame."""
    step: Decimal | None = None
    """The step of the axis."""
    axis: tuple[tuple[int, int, Decimal], list[tuple[Decimal, str]]] | None = None
    """First number, rows and step of an axis, and its prices as numbers and texts, from the top down."""
    rows: int = 0
    """Rows of prices in the last frame."""
    steps: int = 0
    """How far the cursor is to move."""
    centring: bool = False
    """Whether the touch is to be put in the middle."""
    unfolding: bool = False
    """Whether the orders under the cursor are to be unfolded, or folded."""
    _frame: tuple[tuple[object, ...], tuple[Decimal | None, Decimal | None], tuple[Row, ...]] | None = None
    """What the last frame was made of, where the cursor stood, and its rows."""

    def raw_decimals(self, instrument: Instrument | None, book: OrderBook) -> int:
        """Return the decimals of raw prices: the instrument's, else the most that the touch has had."""
        known = price_decimals(instrument)
        if known is not None:
            return known
        for level in (book.best_bid, book.best_ask):
            if level is not None:
                self.decimals = max(self.decimals, significant_decimals(level.price))
        return self.decimals

    def unchanged(self, given: tuple[object, ...]) -> tuple[Row, ...] | None:
        """Return the last frame's rows where it was made of the same and nothing has been asked for since."""
        if self.steps or self.centring or self.unfolding or self._frame is None:
            return None
        before, pointed, rows = self._frame
        return rows if pointed == (self.cursor, self.unfolded) and before == given else None

    def keep(self, given: tuple[object, ...], rows: tuple[Row, ...]) -> None:
        """Remember a frame and what it was made of."""
        self._frame = (given, (self.cursor, self.unfolded), rows)

    def move(self, by: int) -> None:
        """Move the cursor by rows, down if positive; without one it appears at the touch."""
        self.steps = min(max(self.steps + by, -MOST_STEPS), MOST_STEPS)

    def page(self, by: int) -> None:
        """Move the cursor by almost all the rows in sight."""
        self.move(by * max(self.rows - 2, 1))

    def centre(self) -> None:
        """Put the touch back in the middle."""
        self.centring = True

    def release(self) -> bool:
        """Let go of the cursor and fold the orders; return whether there was either."""
        had = self.cursor is not None or self.unfolded is not None
        self.cursor = self.unfolded = None
        self.steps = 0
        return had

    def unfold(self) -> None:
        """Show the single orders of the price under the cursor, or fold them."""
        self.unfolding = not self.unfolding
