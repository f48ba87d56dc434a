"""Order flow as the texts of a ladder: what was traded at a price, and what was pulled and stacked there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from cadenza_tui.market import exact
from cadenza_tui.market.traded import NOTHING, Traded
from cadenza_tui.view.ladder_rows import NO_FLOW, Flow
from cadenza_tui.view.numbers import MINUS, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from cadenza_tui.market.changes import Change
    from cadenza_tui.market.flow import OrderFlow
    from cadenza_tui.view.ladder_widths import LadderWidths

MAX_FLOW = 9
MAX_KNOWN = 4096


class Said(NamedTuple):
    """What flowed at a price, and how it is written."""

    version: int
    traded: Traded
    change: Change | None
    flow: Flow


@dataclass(slots=True)
class FlowTexts:
    """The texts of prices, kept from frame to frame for as long as they stand for the same."""

    known: dict[tuple[str, bool], Said] = field(default_factory=dict)
    feet: dict[bool, tuple[str, str, str]] = field(default_factory=dict)
    _form: tuple[object, ...] = ()
    _version: int = -1

    def begin(self, flow: OrderFlow, widths: LadderWidths, *form: object) -> None:
        """Begin a frame: forget texts of another ``form``, and those that may be others by now."""
        form = (flow, widths.sums.decimals, *form)
        if form != self._form or len(self.known) > MAX_KNOWN:
            self._form = form
            self.known.clear()
            self.feet.clear()
        if flow.version != self._version:
            self._version = flow.version
            self.feet.clear()

    def reading(
        self,
        flow: OrderFlow,
        widths: LadderWidths,
        increment: Decimal | None,
        *,
        bid: bool,
        traded: bool,
        changes: bool,
    ) -> Callable[[str], Flow]:
        """Return what gives the flow at a price, of whose sides ``bid`` is the one that stands there."""
        known, version, size = self.known, flow.version, widths.size
        side = flow.changes(bid=bid) if changes else None

        def at(price: str) -> Flow:
            said = known.get((price, bid))
            if said is not None and said.version == version:
                return said.flow
            exactly = size(price)[1]
            there = flow.traded(exactly, increment) if traded else NOTHING
            change = None if side is None else side.read(exactly, increment)
            if said is not None and said.traded == there and said.change == change:
                made = said.flow
            else:
                made = _made(there, change, widths)
            known[price, bid] = Said(version, there, change, made)
            return made

        return at

    def foot(self, flow: OrderFlow, widths: LadderWidths, *, bid: bool) -> tuple[str, str, str]:
        """Return what was pulled, stacked, and both of a whole side, since the touch last changed."""
        made = self.feet.get(bid)
        if made is None:
            side = flow.side(bid=bid)
            made = (UNKNOWN, UNKNOWN, UNKNOWN)
            if side is not None:
                made = (
                    signed_sum(exact.CONTEXT.minus(side.pulled), widths),
                    signed_sum(side.stacked, widths),
                    signed_sum(side.net, widths),
                )
                widths.change = max(widths.change, min(max(map(len, made)), MAX_FLOW))
            self.feet[bid] = made
        return made


def signed_sum(total: Decimal, widths: LadderWidths) -> str:
    """Return a sum with its sign; empty for nothing."""
    if not total:
        return ""
    shown = widths.sums.text(total)
    return shown if shown[0] in (MINUS, "≈") else "+" + shown


def _made(traded: Traded, change: Change | None, widths: LadderWidths) -> Flow:
    """Return the texts, and make their columns wide enough."""
    sold = widths.sums.text(traded.sold) if traded.sold else ""
    bought = widths.sums.text(traded.bought) if traded.bought else ""
    if sold or bought:
        widths.traded = max(widths.traded, min(max(len(sold), len(bought)), MAX_FLOW) + 2)
    if change is None or not any(change):
        return Flow(sold, bought, "", "", "") if sold or bought else NO_FLOW
    less, more = signed_sum(exact.CONTEXT.minus(change.pulled), widths), signed_sum(change.stacked, widths)
    net = signed_sum(exact.subtract(change.stacked, change.pulled), widths) or "±0"
    widths.change = max(widths.change, min(max(len(less), len(more), len(net)), MAX_FLOW))
    return Flow(sold, bought, less, more, net)
