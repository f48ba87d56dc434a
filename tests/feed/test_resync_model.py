"""A book against the truth of its stream: losses, duplicates, disorder, and snapshots of any age."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from hypothesis import event, given, settings
from hypothesis import strategies as st

from cadenza_tui.feed.ingest import Ingest
from cadenza_tui.market.book import DeltaRule, DeltaRules
from cadenza_tui.market.state import Market
from cadenza_tui.wire.channels import ChannelName, Kind
from cadenza_tui.wire.rpc import decode_book
from tests.feed.scripted import book

if TYPE_CHECKING:
    from cadenza_tui.market.book import OrderBook

BTC = "BINANCE:BTC/USDT"
BOOK = f"market:orderBook:{BTC}"
NOW = 1_700_000_000_000_000_000
FIRST_MS = 1_000

Truth = dict[str, Decimal]
STEPS = ["publish", "publish", "publish", "next", "next", "next", "lose", "late", "again", "answer", "answer"]
PRICES = st.sampled_from(["1", "2", "3"])
CHANGES = st.dictionaries(PRICES, st.integers(0, 3), min_size=1, max_size=2)


class Published(NamedTuple):
    """One message of the stream; its offset is its place, from 1. ``truth`` is the book after it."""

    time: int
    kind: str
    rows: list[list[str]]
    truth: Truth


@st.composite
def streams(draw: st.DrawFn) -> tuple[DeltaRule, list[Published]]:
    """Return a stream of diffs, and of deltas of one rule; several may share a ms."""
    rule = draw(st.sampled_from(DeltaRule))
    kinds = st.just("DIFF") if draw(st.booleans()) else st.sampled_from(["DIFF", "DELTA"])
    time = FIRST_MS
    truth: Truth = {}
    stream: list[Published] = []
    for _ in range(draw(st.integers(2, 14))):
        time += draw(st.sampled_from([0, 1, 1, 2]))
        kind, rows, truth = draw(kinds), [], dict(truth)
        for price, wanted in draw(CHANGES).items():
            before = truth.pop(price, Decimal(0))
            adds = kind == "DELTA" and rule is DeltaRule.ADD
            rows.append([price, str(wanted - before if adds else wanted)])
            if wanted:
                truth[price] = Decimal(wanted)
        stream.append(Published(time, kind, rows, truth))
    return rule, stream


class Follower:
    """An ingest with the client's rule for offsets before it, and the books of a server to ask."""

    def __init__(self, rule: DeltaRule, joined: int) -> None:
        self.market = Market(delta_rules=DeltaRules(rule))
        self.ingest = Ingest(self.market, lambda: NOW, watch=self)
        self.ingest.register(BOOK, ChannelName(Kind.BOOK, BTC))
        self.ingest.hold(BOOK)
        self.offset = joined
        self.taken = 0
        """How many messages the last snapshot that was taken has in it."""
        self.taken_ms = 0

    @property
    def book(self) -> OrderBook:
        """The book."""
        return self.market.book(BTC)

    @property
    def unproven(self) -> bool:
        """Whether nothing has shown yet that the snapshot is not older than the stream."""
        route = self.ingest.route(BOOK)
        return route is not None and route.unproven

    def on_book_lost(self, channel: str, reason: str) -> None:
        """Mark the book, as a resync does."""
        self.book.mark_out_of_sync(reason)

    def on_book_found(self, channel: str) -> None:
        """No snapshot is in the stream here."""
        raise AssertionError

    def on_book_held(self, channel: str) -> None:
        """Nobody waits for it here."""

    def arrive(self, offset: int, message: Published) -> None:
        """Take a message in whose offset may be any."""
        if offset <= self.offset:
            return
        if offset > self.offset + 1:
            self.ingest.hold(BOOK, missed=True)
            self.book.mark_out_of_sync("gap")
        self.offset = offset
        data = book(BTC, message.kind, message.time, message.rows, [])
        self.ingest.publication(BOOK, json.dumps(data).encode(), offset, "", NOW)

    def answer(self, cut: int, stream: list[Published], later: int) -> None:
        """Answer a query with the book as it was after ``cut`` messages, stamped up to ``later`` ms after."""
        time, truth = (stream[cut - 1].time, stream[cut - 1].truth) if cut else (FIRST_MS - 1, {})
        if cut < len(stream):
            later = min(later, stream[cut].time - time)
        rows = [[price, str(quantity)] for price, quantity in truth.items()]
        payload: dict[str, Any] = book(BTC, "SNAPSHOT", time + later, rows, [])
        if not self.ingest.snapshot(BOOK, decode_book(json.dumps({"data": payload}).encode()), NOW):
            self.taken, self.taken_ms = cut, time + later


def held(book: OrderBook) -> Truth:
    """Return the bids."""
    return {level.price: Decimal(level.quantity) for level in book.bids.levels()}


@settings(max_examples=300, deadline=None)
@given(streamed=streams(), data=st.data())
def test_a_book_in_sync_is_the_truth(
    streamed: tuple[DeltaRule, list[Published]], data: st.DataObject
) -> None:
    """Whatever was lost, twice, or out of order, and however old the answers were."""
    rule, stream = streamed
    joined = data.draw(st.integers(0, len(stream) - 1), label="joined after")
    follower = Follower(rule, joined)
    published = sent = joined
    late: list[int] = []
    for _ in range(data.draw(st.integers(6, 50), label="steps")):
        what = data.draw(st.sampled_from(STEPS))
        if what == "publish" and published < len(stream):
            published += 1
        elif what in {"next", "lose", "late"} and sent < published:
            sent += 1
            if what == "late":
                late.append(sent)
            elif what == "next":
                follower.arrive(sent, stream[sent - 1])
        elif what == "again" and (old := [*late, *range(joined + 1, sent + 1)]):
            offset = data.draw(st.sampled_from(old))
            follower.arrive(offset, stream[offset - 1])
        elif what == "answer":
            cut = data.draw(st.integers(0, published), label="the answer has")
            follower.answer(cut, stream, data.draw(st.integers(0, 1), label="stamped later by"))
        if not follower.book.in_sync:
            continue
        # Until something is streamed, the newest that is known is the snapshot.
        position = follower.taken if follower.unproven else max(follower.offset, follower.taken)
        # A snapshot from the middle of a ms is followed by messages of that ms that it has already.
        again = follower.offset and stream[follower.offset - 1].time == follower.taken_ms
        if follower.offset < follower.taken and again:
            continue
        event("in sync")
        assert held(follower.book) == (stream[position - 1].truth if position else {})
