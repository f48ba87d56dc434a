"""One instrument's market: its flow, its candles, and what it publishes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from . import payloads
from .candles import Candle, Candles, bucket
from .flow import OrderFlow, Trade
from .numbers import MILLISECOND, SECOND
from .rows import BookText

if TYPE_CHECKING:
    from collections.abc import Callable

    from .instruments import Instrument
    from .payloads import Payload

EVENTS = 5.0
"""Arrivals in the flow between two book publications, on average: about that many changed levels."""
PRINTS, PRINT_SIZES = 0.9, 1.3
"""Prints that the flow makes for each book publication, and the mean size of one in median sizes."""
TICKER_NS = 100 * MILLISECOND
SNAPSHOT_NS = 30 * SECOND


class Publication(NamedTuple):
    """One message for a channel, as JSON."""

    channel: str
    data: bytes


class InstrumentMarket:
    """The market of one instrument. It publishes in slots whose spacing follows its share of the rate.

    Within one channel the timestamps of book messages never decrease, and increase where slots are 2 ms or
    more apart.
    """

    def __init__(
        self,
        instrument: Instrument,
        seed: int,
        publications_per_second: float,
        start_ns: int,
        fair: float,
        *,
        prints_per_second: float | None = None,
    ) -> None:
        self.instrument = instrument
        one = instrument
        arrivals = publications_per_second * EVENTS
        self.flow = OrderFlow(one, seed, arrivals, start_ns, prints_per_second=prints_per_second)
        self.flow.warm_up(fair)
        self.book = self.flow.book
        self.interval_ns = SECOND / publications_per_second
        prints = PRINTS * publications_per_second if prints_per_second is None else prints_per_second
        minute_lots = 60 * prints * PRINT_SIZES * one.size
        self.candles = Candles(f"{seed}/{one.instrument_id}", one.price, minute_lots, start_ns)
        self.intervals: set[str] = {"1m"}
        self.text = BookText(one, self.book)
        self.book_channel = f"market:orderBook:{one.instrument_id}"
        self.trade_channel = f"market:trade:{one.instrument_id}"
        self.ticker_channel = f"market:ticker:{one.instrument_id}"
        self.venue_ticker_channel = f"market:ticker:{one.venue}"
        self.book_ms = start_ns // MILLISECOND
        self.witness: Callable[[Publication], None] = lambda _publication: None
        """Told of each book message while the book still is what the message makes of it."""
        self._encode = msgspec.json.Encoder().encode
        self._snapshot_at = start_ns + SNAPSHOT_NS
        self._ticker_at = start_ns
        self._ticker_state: tuple[int, ...] = ()
        self._kline_at = start_ns
        self._kline_sent: dict[str, tuple[Candle, bool]] = {}

    @property
    def mark(self) -> int:
        """The price positions are valued at, in ticks: the mid, rounded down."""
        book = self.book
        return (book.bid_prices[-1] + book.ask_prices[0]) // 2

    def run(self, until_ns: int, fair: float) -> list[Trade]:
        """Let the crowd act; return the prints."""
        trades = self.flow.run(until_ns, fair)
        for trade in trades:
            self.candles.add(trade.time_ns, trade.price, trade.quantity)
        return trades

    def take(self, is_buy: bool, quantity: int, time_ns: int, owner: str) -> list[Trade]:
        """Execute an account's market order; return the prints."""
        trades = self.flow.take(is_buy, quantity, time_ns, owner)
        for trade in trades:
            self.candles.add(trade.time_ns, trade.price, trade.quantity)
        return trades

    def kline_channel(self, interval: str) -> str:
        """Return the channel of one interval's candles."""
        return f"market:kline:{self.instrument.instrument_id}:{interval}"

    def prints(self, trades: list[Trade]) -> list[Publication]:
        """Return one publication for each print."""
        return [
            Publication(self.trade_channel, self._encode(payloads.trade_payload(self.instrument, trade)))
            for trade in trades
        ]

    def publish(self, now_ns: int, wanted: Callable[[str], bool], out: list[Publication]) -> None:
        """Append what a slot brings: a book message, a ticker and candles, as far as they changed."""
        if wanted(self.book_channel):
            changed = self.book.touched_bids or self.book.touched_asks
            if now_ns >= self._snapshot_at:
                self._snapshot_at = now_ns + SNAPSHOT_NS
                out.append(self.snapshot(now_ns))
            elif changed:
                out.append(self._diff(now_ns) if self.text.as_diffs else self.snapshot(now_ns))
        else:
            self._stamp(now_ns)
            self._clear_touched()
        if now_ns >= self._ticker_at:
            self._publish_ticker(now_ns, wanted, out)
        if now_ns >= self._kline_at:
            self._kline_at = now_ns - now_ns % SECOND + SECOND
            for interval in sorted(self.intervals):
                self._publish_kline(interval, now_ns, wanted, out)

    def snapshot(self, now_ns: int) -> Publication:
        """Return the whole book as a message. The changes it includes will not be sent again as a diff."""
        rows = self.text.whole()
        self._clear_touched()
        payload = payloads.book_payload(self.instrument, "SNAPSHOT", rows, self._stamp(now_ns))
        return self._book_message(payload)

    def state(self, depth: int, timestamp: Callable[[int], int | str]) -> Payload:
        """Return the best ``depth`` levels as a SNAPSHOT for a query.

        It is stamped with the time of the last book message, so that no later diff is ever taken for an
        older one; changes it already holds come once more with the next diff, where they do no harm:
        quantities are absolute.
        """
        return payloads.book_payload(
            self.instrument, "SNAPSHOT", self.text.whole(depth), timestamp(self.book_ms * MILLISECOND)
        )

    def ticker(self, timestamp: int | str) -> Payload:
        """Return the touch and the last print as they are."""
        return payloads.ticker_payload(
            self.instrument, self.book, self.flow.last, self.candles.day_open, timestamp
        )

    def kline(self, interval: str, candles: list[Candle], now_ns: int) -> Publication:
        """Return a kline message of the given candles."""
        closed = self.is_closed(interval, candles, now_ns)
        payload = payloads.kline_payload(self.instrument, interval, candles, closed, now_ns // MILLISECOND)
        return Publication(self.kline_channel(interval), self._encode(payload))

    @staticmethod
    def is_closed(interval: str, candles: list[Candle], now_ns: int) -> bool:
        """Whether the time of the last candle is over."""
        return bucket(interval, now_ns // MILLISECOND) > candles[-1].open_ms

    def _diff(self, now_ns: int) -> Publication:
        rows = self.text.changed()
        self._clear_touched()
        payload = payloads.book_payload(self.instrument, "DIFF", rows, self._stamp(now_ns))
        return self._book_message(payload)

    def _book_message(self, payload: Payload) -> Publication:
        publication = Publication(self.book_channel, self._encode(payload))
        self.witness(publication)
        return publication

    def _stamp(self, now_ns: int) -> int:
        step = 1 if self.interval_ns >= 2 * MILLISECOND else 0
        self.book_ms = max(self.book_ms + step, now_ns // MILLISECOND)
        return self.book_ms

    def _clear_touched(self) -> None:
        book = self.book
        book.touched_bids.clear()
        book.touched_asks.clear()
        book.touched_orders.clear()

    def _publish_ticker(self, now_ns: int, wanted: Callable[[str], bool], out: list[Publication]) -> None:
        own, venue = wanted(self.ticker_channel), wanted(self.venue_ticker_channel)
        if not own and not venue:
            return
        book, last = self.book, self.flow.last
        bid, ask = book.bid_prices[-1], book.ask_prices[0]
        state = (bid, ask, book.bids[bid].quantity, book.asks[ask].quantity, last.trade_id if last else 0)
        if state == self._ticker_state:
            return
        self._ticker_state = state
        self._ticker_at = now_ns + TICKER_NS
        data = self._encode(self.ticker(now_ns // MILLISECOND))
        if own:
            out.append(Publication(self.ticker_channel, data))
        if venue:
            out.append(Publication(self.venue_ticker_channel, data))

    def _publish_kline(
        self, interval: str, now_ns: int, wanted: Callable[[str], bool], out: list[Publication]
    ) -> None:
        """Publish the candles that changed since the last time: those that ended, and the running one."""
        if not wanted(self.kline_channel(interval)):
            return
        sent, was_closed = self._kline_sent.get(interval, (None, False))
        candles = self.candles.since(interval, sent.open_ms if sent else None)
        if was_closed and candles and candles[0] == sent:
            del candles[0]
        if not candles:
            return
        state = (candles[-1], candles[-1].open_ms < bucket(interval, now_ns // MILLISECOND))
        if state != (sent, was_closed):
            self._kline_sent[interval] = state
            out.append(self.kline(interval, candles, now_ns))
