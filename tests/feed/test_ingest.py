"""How publications get into the market, and what is counted of those that do not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from cadenza_tui.feed import books, hold, ingest
from cadenza_tui.feed.ingest import Event, Ingest
from cadenza_tui.market.book import DeltaRule, DeltaRules
from cadenza_tui.market.health import ChannelState
from cadenza_tui.market.records import BookUpdate, Instrument, Order, Portfolio, Ticker
from cadenza_tui.market.state import Market
from cadenza_tui.wire.channels import ChannelName, Kind
from cadenza_tui.wire.rpc import decode_book

from .scripted import book

if TYPE_CHECKING:
    import pytest

BTC, ETH = "BINANCE:BTC/USDT", "BINANCE:ETH/USDT"
BOOK = f"market:orderBook:{BTC}"
NOW = 1_700_000_000_000_000_000


class Watch:
    """Notes what it is told of books."""

    def __init__(self) -> None:
        self.lost: list[str] = []
        self.found = 0
        self.held = 0

    def on_book_lost(self, channel: str, reason: str) -> None:
        """Note the reason."""
        assert channel == BOOK
        self.lost.append(reason)

    def on_book_found(self, channel: str) -> None:
        """Count it."""
        assert channel == BOOK
        self.found += 1

    def on_book_held(self, channel: str) -> None:
        """Count it."""
        assert channel == BOOK
        self.held += 1


class Rig:
    """An ingest with a watch, on which everything has been asked for that a test registers."""

    def __init__(
        self, *, watch: bool = True, open_routes: bool = False, rule: DeltaRule = DeltaRule.RESYNC
    ) -> None:
        self.market = Market(delta_rules=DeltaRules(rule))
        self.watch = Watch()
        self.events: list[Event] = []
        self.ingest = Ingest(
            self.market,
            lambda: NOW,
            on_event=self.events.append,
            watch=self.watch if watch else None,
            open_routes=open_routes,
        )
        if not open_routes:
            self.ingest.register(BOOK, ChannelName(Kind.BOOK, BTC))

    def publish(self, channel: str, data: Any, offset: int = 0) -> None:
        """Take a payload in."""
        self.ingest.publication(channel, json.dumps(data).encode(), offset, "", NOW)

    def snapshot(self, time: int, bids: list[list[str]], book_type: str = "L2") -> str:
        """Bring a snapshot that was asked for; return why it does not serve."""
        payload = book(BTC, "SNAPSHOT", time, bids, [], book_type)
        return self.ingest.snapshot(BOOK, decode_book(json.dumps({"data": payload}).encode()), NOW)

    @property
    def bids(self) -> dict[str, str]:
        """The first instrument's bids."""
        return {level.price: level.quantity for level in self.market.book(BTC).bids.levels()}

    def rejected(self, channel: str = BOOK) -> dict[str, int]:
        """What was counted for a channel."""
        return dict(self.market.health.channels[channel].rejected)


def diff(time: int, bids: list[list[str]], book_type: str = "L2") -> dict[str, Any]:
    """Return a diff of the first instrument."""
    return book(BTC, "DIFF", time, bids, [], book_type)


def test_an_event_is_told_after_it_was_applied() -> None:
    """A stream sees the market as the event left it."""
    rig = Rig()
    rig.publish(BOOK, book(BTC, "SNAPSHOT", 1, [["1", "1"]], []))
    assert isinstance(rig.events[0], BookUpdate)
    assert rig.market.book(BTC).in_sync
    assert rig.market.health.channels[BOOK].state is ChannelState.LIVE


def test_a_diff_that_was_on_its_way_while_a_snapshot_was_made_is_passed_over() -> None:
    """It is in the snapshot; the first newer one ends that."""
    rig = Rig()
    rig.publish(BOOK, diff(3, [["1", "3"]]))
    assert rig.watch.lost == ["diff before a snapshot"]
    assert rig.snapshot(10, [["1", "10"]]) == ""
    rig.publish(BOOK, diff(9, [["1", "9"]]))
    assert rig.bids == {"1": "10"}
    rig.publish(BOOK, diff(10, [["2", "10"]]))
    rig.publish(BOOK, diff(11, [["1", "11"]]))
    assert rig.bids == {"2": "10", "1": "11"}
    assert rig.rejected() == {}


def test_order_rows_of_the_snapshots_own_time_replace_those_of_their_price() -> None:
    """L3 rows have no name of their own, and yet a second time adds nothing."""
    rig = Rig()
    rig.publish(BOOK, diff(9, [["1", "2"]], "L3"))
    assert rig.snapshot(10, [["1", "2"]], "L3") == ""
    rig.publish(BOOK, diff(10, [["1", "2"]], "L3"))
    assert rig.bids == {"1": "2"}


def test_a_snapshot_older_than_the_stream_is_refused_and_what_is_held_stays() -> None:
    """It may lack what was missed; the next one is taken, and all that is newer goes on top."""
    rig = Rig()
    rig.publish(BOOK, diff(5, [["5", "5"]]))
    rig.publish(BOOK, diff(6, [["6", "6"]]))
    assert rig.snapshot(4, [["4", "4"]]) == "the snapshot is older than the stream (by 1 ms)"
    assert not rig.market.book(BTC).has_snapshot
    assert rig.snapshot(5, [["4", "4"]]) == "the snapshot may lack messages of its own millisecond"
    rig.publish(BOOK, diff(7, [["7", "7"]]))
    assert rig.watch.held == 2
    assert rig.snapshot(6, [["5", "5"]]) == ""
    assert rig.bids == {"5": "5", "6": "6", "7": "7"}


def test_a_snapshot_that_nothing_streamed_has_proved_is_asked_for_again_at_the_first_newer_diff() -> None:
    """Between the two something may have been published before the stream was joined."""
    rig = Rig()
    rig.ingest.hold(BOOK)
    assert rig.snapshot(5, [["5", "5"]]) == ""
    assert rig.market.book(BTC).in_sync
    rig.publish(BOOK, diff(9, [["9", "9"]]))
    assert rig.watch.lost == [books.UNPROVEN]
    assert rig.snapshot(10, [["8", "8"], ["9", "9"]]) == ""
    rig.publish(BOOK, diff(11, [["7", "7"]]))
    assert rig.bids == {"7": "7", "8": "8", "9": "9"}
    assert len(rig.watch.lost) == 1


def test_a_diff_that_is_in_the_snapshot_proves_it() -> None:
    """All that was published before the diff is in it, too."""
    rig = Rig()
    rig.ingest.hold(BOOK)
    assert rig.snapshot(5, [["5", "5"]]) == ""
    rig.publish(BOOK, diff(4, [["4", "4"]]))
    rig.publish(BOOK, diff(6, [["6", "6"]]))
    assert rig.bids == {"5": "5", "6": "6"}
    assert not rig.watch.lost


def test_a_change_that_may_be_in_the_snapshot_is_not_added_to_it() -> None:
    """A DELTA of the snapshot's own ms would count twice if it were: the book is fetched again."""
    rig = Rig(rule=DeltaRule.ADD)
    rig.publish(BOOK, diff(4, [["1", "1"]]))
    assert rig.snapshot(5, [["1", "2"]]) == ""
    rig.publish(BOOK, diff(5, [["2", "2"]]))
    rig.publish(BOOK, book(BTC, "DELTA", 5, [["1", "1"]], []))
    assert rig.watch.lost == ["diff before a snapshot", books.UNPROVEN]
    assert rig.bids == {"1": "2", "2": "2"}
    assert rig.snapshot(6, [["1", "2"], ["2", "2"]]) == ""
    rig.publish(BOOK, book(BTC, "DELTA", 7, [["1", "-2"]], []))
    assert rig.bids == {"2": "2"}


def test_too_much_held_asks_for_a_newer_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was let go has to be in it."""
    monkeypatch.setattr(hold, "MAX_UPDATES", 2)
    rig = Rig()
    for time in range(4):
        rig.publish(BOOK, diff(time + 1, [[str(time + 1), "1"]]))
    assert rig.snapshot(2, [["1", "1"], ["2", "1"]])
    assert not rig.snapshot(4, [["1", "1"], ["2", "1"], ["3", "1"]])
    assert rig.bids == {"1": "1", "2": "1", "3": "1", "4": "1"}


def test_a_snapshot_that_nobody_waits_for_is_not_taken() -> None:
    """The channel's own came first."""
    rig = Rig()
    rig.publish(BOOK, diff(1, [["1", "1"]]))
    rig.publish(BOOK, book(BTC, "SNAPSHOT", 9, [["9", "9"]], []))
    assert rig.watch.found == 1
    assert rig.snapshot(15, [["5", "5"]])
    assert rig.bids == {"9": "9"}


def test_an_update_that_only_a_snapshot_brings_has_to_be_in_it() -> None:
    """A DELTA that is not to be applied: what was held before it is of no use."""
    rig = Rig()
    rig.publish(BOOK, diff(1, [["1", "1"]]))
    rig.publish(BOOK, book(BTC, "DELTA", 6, [["1", "1"]], []))
    rig.publish(BOOK, diff(7, [["7", "7"]]))
    assert rig.snapshot(5, [["5", "5"]])
    assert rig.snapshot(7, [["6", "6"]]) == ""
    assert rig.bids == {"6": "6", "7": "7"}


def test_a_held_update_that_cannot_be_applied_loses_the_book_again() -> None:
    """What follows it is held for the next snapshot."""
    rig = Rig()
    rig.publish(BOOK, diff(1, [["1", "1"]]))
    rig.publish(BOOK, diff(6, [["1", "1", "1"]], "L2_COUNTED"))
    rig.publish(BOOK, diff(7, [["7", "7", "1"]], "L2_COUNTED"))
    assert rig.snapshot(5, [["5", "5"]]) == ""
    assert not rig.market.book(BTC).in_sync
    assert len(rig.watch.lost) == 2
    assert rig.snapshot(6, [["6", "6", "1"]], "L2_COUNTED") == ""
    assert rig.bids == {"1": "1", "6": "6", "7": "7"}


def test_a_diff_of_another_layout_loses_the_book() -> None:
    """It is counted, the book is fetched, and the diff is kept in case the new book is of its kind."""
    rig = Rig()
    rig.publish(BOOK, book(BTC, "SNAPSHOT", 1, [["1", "1"]], []))
    rig.publish(BOOK, diff(5, [["2", "2", "1"]], "L2_COUNTED"))
    assert rig.rejected() == {"diff of another book type": 1}
    assert len(rig.watch.lost) == 1
    assert rig.snapshot(4, [["3", "3", "1"]], "L2_COUNTED") == ""
    assert rig.bids == {"3": "3", "2": "2"}


def test_a_listed_market_counts_what_is_unlisted_and_takes_what_was_asked_for() -> None:
    """A book for an instrument that the server does not list is applied where we asked for it."""
    rig = Rig()
    rig.market.set_instruments([Instrument(ETH, "BINANCE", "ETH/USDT")])
    rig.publish(BOOK, book(BTC, "SNAPSHOT", 1, [["1", "1"]], []))
    assert rig.bids == {"1": "1"}
    assert rig.rejected() == {"unknown instrument": 1}


def test_a_venues_tickers_are_taken_for_listed_instruments_alone() -> None:
    """Others are counted, and take no memory."""
    rig = Rig()
    channel = "market:ticker:BINANCE"
    rig.ingest.register(channel, ChannelName(Kind.VENUE_TICKER, venue="BINANCE"))
    rig.market.set_instruments([Instrument(ETH, "BINANCE", "ETH/USDT")])
    for symbol in ("ETH/USDT", "XXX/USDT"):
        rig.publish(channel, {"venue": "BINANCE", "symbol": symbol, "lastPrice": "1", "timestamp": 5})
    assert list(rig.market.tickers) == [ETH]
    assert rig.rejected(channel) == {"unknown instrument": 1}
    assert isinstance(rig.events[-1], Ticker)


def test_account_events_are_applied_by_their_kind() -> None:
    """A portfolio and an order of the channel's account."""
    rig = Rig()
    channel = "tradingAccount:desk"
    rig.ingest.register(channel, ChannelName(Kind.ACCOUNT, account_id="desk"))
    rig.publish(channel, {"data": {"balances": [{"securitySymbol": "BTC", "total": "1.0"}]}})
    order = {"tradeOrderId": "1", "tradingAccountId": "desk", "instrumentId": BTC, "status": "ACCEPTED"}
    rig.publish(channel, {"type": "orderUpdate", "order": order})
    assert [type(event) for event in rig.events] == [Portfolio, Order]
    assert len(rig.market.account("desk").working_orders()) == 1


def test_candles_are_applied() -> None:
    """A kline channel fills the candles."""
    rig = Rig()
    channel = f"market:kline:{BTC}:1m"
    rig.ingest.register(channel, ChannelName(Kind.KLINE, BTC, interval="1m"))
    candle = [60_000, "1", "2", "0.5", "1.5", None]
    rig.publish(
        channel,
        {"venue": "BINANCE", "symbol": "BTC/USDT", "interval": "1m", "candles": [candle], "isClosed": False}
        | {"timestamp": 61_000},
    )
    assert len(rig.market.klines[BTC, "1m"].candles) == 1


def test_an_error_of_ours_is_counted_and_not_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    """One message cannot end the session."""
    rig = Rig()

    def fail(_update: BookUpdate) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(rig.market, "apply_book", fail)
    rig.publish(BOOK, book(BTC, "SNAPSHOT", 1, [], []))
    assert rig.rejected() == {"internal error": 1}


def test_a_recordings_channels_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of ever new channels fills a count, not the memory."""
    monkeypatch.setattr(ingest, "MAX_ROUTES", 2)
    rig = Rig(open_routes=True, watch=False)
    for number in range(5):
        rig.publish(f"market:trade:X:C{number}/USD", {"price": "1", "quantity": "1", "timestamp": 1})
    assert len(rig.market.tapes) == 2
    assert rig.market.health.connection.rejected == {"too many channels": 3}


def test_channels_are_found_by_what_they_are_about() -> None:
    """And not after they were let go."""
    rig = Rig()
    assert rig.ingest.channel_of(Kind.BOOK, BTC) == BOOK
    assert rig.ingest.channel_of(Kind.TRADE, BTC) == ""
    rig.ingest.forget(BOOK)
    assert rig.ingest.channel_of(Kind.BOOK, BTC) == ""
    assert BOOK not in rig.market.health.channels


def test_a_book_tells_how_late_its_latest_change_came() -> None:
    """By the times of its changes; a snapshot's time is when it was made, and tells nothing."""
    rig = Rig()
    rig.publish(BOOK, book(BTC, "SNAPSHOT", NOW // 1_000_000 - 9_000, [["5", "5"]], []))
    health = rig.market.health.channels[BOOK]
    assert health.lag_ns is None
    rig.publish(BOOK, diff(NOW // 1_000_000 - 250, [["5", "6"]]))
    assert health.lag_ns == 250_000_000
