"""Order lists: an entry with a take-profit and a stop-loss, of which one cancels the other."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from .accounts import WAITING, OwnOrder
from .numbers import SECOND

if TYPE_CHECKING:
    from .desks import Desk
    from .flow import Trade
    from .markets import InstrumentMarket

LONGEST_NS = 400 * SECOND
"""A list that has not come to its end by then is withdrawn."""
SHARE = 0.05
"""Of a desk's decisions, those that open a list where none is open."""


@dataclass
class _Bracket:
    market: InstrumentMarket
    entry: OwnOrder
    gain: OwnOrder
    loss: OwnOrder

    @property
    def orders(self) -> tuple[OwnOrder, OwnOrder, OwnOrder]:
        return self.entry, self.gain, self.loss


class Brackets:
    """One order list at a time of one desk. Its children wait until the whole of the entry is filled."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._random = Random(f"{desk.account.account_id}/brackets")
        self._held: _Bracket | None = None

    @property
    def market(self) -> InstrumentMarket | None:
        """The market of the list that is open."""
        return None if self._held is None else self._held.market

    def attend(self, market: InstrumentMarket, now_ns: int) -> tuple[list[OwnOrder], list[Trade]]:
        """Do what is next for the list; return the orders that changed, and the prints of a stop."""
        held = self._held
        if held is None:
            wanted = self._random.random() < SHARE and market.instrument.kind == "SPOT"
            return (self._open(market, now_ns) if wanted else []), []
        if all(order.over for order in held.orders):
            self._held = None
            return [], []
        if held.entry.status in {"CANCELLED", "REJECTED"}:
            return self._end(now_ns, "the entry was cancelled"), []
        if now_ns - held.entry.created_ns > LONGEST_NS:
            return self._end(now_ns, "withdrawn by the desk"), []
        if held.entry.working:
            return [], []
        if held.gain.status == WAITING:
            return self._begin(held, now_ns), []
        if held.gain.over:
            return self._end(now_ns, "the other of the pair was filled"), []
        stop = held.loss.stop or 0
        if held.loss.working and held.market.mark <= stop:
            self._desk.cancel(held.gain, now_ns, "the other of the pair was triggered")
            held.loss.updated_ns = now_ns
            trades = held.market.take(False, held.loss.lots, now_ns, held.loss.order_id)
            return [held.gain, held.loss], trades
        return [], []

    def _open(self, market: InstrumentMarket, now_ns: int) -> list[OwnOrder]:
        """Rest a buy at the touch, with both children."""
        desk, book, one = self._desk, market.book, market.instrument
        if not book.bid_prices or not book.ask_prices:
            return []
        limit = book.bid_prices[-1]
        entry = desk.new(market, True, 2 * one.size, limit, now_ns)
        entry.list_id = f"L-{entry.order_id}"
        if not desk.account.can_place(entry):
            return []
        gain = desk.new(market, False, entry.lots, limit + max(2, limit // 12_000), now_ns)
        loss = desk.new(market, False, entry.lots, None, now_ns)
        loss.stop = limit - max(2, limit // 9_000)
        for child in (gain, loss):
            child.parent_id, child.list_id, child.status = entry.order_id, entry.list_id, WAITING
            desk.account.orders[child.order_id] = child
        entry.resting, _ = book.limit(True, limit, entry.lots, entry.order_id)
        desk.account.place(entry)
        self._held = _Bracket(market, entry, gain, loss)
        return [entry, gain, loss]

    def _begin(self, held: _Bracket, now_ns: int) -> list[OwnOrder]:
        """Bring the children to life: one rests in the book, the other waits for its price."""
        account, book, gain = self._desk.account, held.market.book, held.gain
        if book.ask_prices and gain.limit is not None:
            gain.limit = max(gain.limit, book.ask_prices[0])
        for child in (gain, held.loss):
            child.status, child.updated_ns = "ACCEPTED", now_ns
        if gain.limit is None or not account.can_place(gain):
            gain.status = WAITING
            return self._end(now_ns, "insufficient balance")
        account.place(gain)
        gain.resting, _ = book.limit(False, gain.limit, gain.lots, gain.order_id)
        return [gain, held.loss]

    def _end(self, now_ns: int, reason: str) -> list[OwnOrder]:
        held, self._held = self._held, None
        orders = () if held is None else held.orders
        return [self._desk.cancel(order, now_ns, reason) for order in orders if not order.over]
