"""Quantities as exact integers: the feed's text, scaled by the finest decimals seen, in a bounded cache."""

from __future__ import annotations

from decimal import Decimal

from cadenza_tui.market import exact

MAXIMUM_KNOWN = 16_384
"""Texts whose integers are remembered."""


class Units:
    """Integers of quantities. Whoever keeps some multiplies them when ``decimals`` have grown."""

    __slots__ = ("decimals", "known")

    def __init__(self) -> None:
        self.decimals = 0
        self.known: dict[str | None, int] = {None: 0}
        """The integers of texts met lately; nothing is 0."""

    def of(self, text: str | None) -> int:
        """Return the integer of a quantity."""
        units = self.known.get(text)
        return self.learn(text) if units is None else units

    def learn(self, text: str | None) -> int:
        """Return the integer of a quantity not met lately, and remember it. ``decimals`` may grow."""
        if text is None:
            return 0
        known, decimals = self.known, self.decimals
        if decimals and text[-decimals - 1 : -decimals] == ".":
            units = int(text[: -decimals - 1] + text[-decimals:])
        else:
            whole, _, fraction = text.partition(".")
            if len(fraction) > decimals:
                self.decimals = decimals = len(fraction)
                known.clear()
                known[None] = 0
            units = int(whole + fraction.ljust(decimals, "0"))
        if len(known) >= MAXIMUM_KNOWN:
            known.clear()
            known[None] = 0
        known[text] = units
        return units

    def decimal(self, units: int, places: int = 0) -> Decimal:
        """Return the quantity, or its product with a price of so many places."""
        return exact.CONTEXT.scaleb(Decimal(units), -self.decimals - places)
