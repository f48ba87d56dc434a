"""One book over venues, against every level of every venue put together by hand."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st

from cadenza_tui.market.book import OrderBook
from cadenza_tui.market.consolidated import Consolidated, VenueBook, consolidate
from cadenza_tui.market.records import BookType, BookUpdate, UpdateType

if TYPE_CHECKING:
    from collections.abc import Sequence

COLUMNS = {
    BookType.L2: ("price", "quantity"),
    BookType.L3: ("price", "quantity"),
    BookType.VWAP: ("price", "quantity"),
    BookType.L2_EXCHANGE: ("price", "quantity", "exchange"),
}
Rows: TypeAlias = "Sequence[tuple[str, ...]]"


def venue(
    name: str,
    bids: Rows,
    asks: Rows,
    *,
    book_type: BookType = BookType.L2,
    current: bool = True,
    why: str = "",
) -> VenueBook:
    """Return a venue's book with a snapshot of these rows."""
    instrument_id = f"{name}:BTC/USDT"
    book = OrderBook(instrument_id)
    book.apply(
        BookUpdate(
            instrument_id, UpdateType.SNAPSHOT, book_type, COLUMNS[book_type], list(bids), list(asks), 1
        )
    )
    return VenueBook(name, instrument_id, book, current, why)


PRICES = st.integers(1, 40).map(lambda ticks: f"{ticks // 4}.{('00', '25', '5', '750')[ticks % 4]}")
QUANTITIES = st.sampled_from(["1", "2.50", "0.125", "3", "0.000000000000000001", "1000000000"])
EXCHANGES = st.sampled_from(["ARCA", "IEX", "BATS"])


@st.composite
def venues(draw: st.DrawFn) -> list[VenueBook]:
    """A few venues around one price, some of them crossed, stale, or of another type."""
    found = []
    for name in ("BINANCE", "OKX", "DERIBIT", "B2C2")[: draw(st.integers(1, 4))]:
        book_type = draw(st.sampled_from([BookType.L2, BookType.L2, BookType.L3, *COLUMNS]))
        cells = [PRICES, QUANTITIES] + [EXCHANGES] * (book_type is BookType.L2_EXCHANGE)
        sides = st.lists(st.tuples(*cells), max_size=10, unique_by=lambda row: (Decimal(row[0]), row[2:]))
        middle = Decimal(draw(st.integers(8, 32))) / 4
        bids, asks = draw(sides), draw(sides)
        if draw(st.integers(0, 3)):  # mostly a market: bids under asks
            bids = [row for row in bids if Decimal(row[0]) < middle]
            asks = [row for row in asks if Decimal(row[0]) >= middle]
        found.append(venue(name, bids, asks, book_type=book_type, current=draw(st.integers(0, 5)) > 0))
    return found


Naive = dict[str, tuple[dict[Decimal, Decimal], dict[Decimal, Decimal]]]


def naive_sources(books: Sequence[VenueBook]) -> Naive:
    """Return (bids, asks) as price to quantity, by the name of each venue that takes part."""
    sources: Naive = {}
    for one in books:
        if not one.current or one.book.book_type is BookType.VWAP:
            continue
        found: Naive = {}
        for at, side in enumerate((one.book.bids, one.book.asks)):
            for level in side.levels():
                name = one.venue
                if level.exchange is not None:
                    name = level.exchange if len(books) == 1 else f"{one.venue}/{level.exchange}"
                sums = found.setdefault(name, ({}, {}))[at]
                sums[Decimal(level.price)] = sums.get(Decimal(level.price), Decimal(0)) + Decimal(
                    level.quantity
                )
        if one.book.book_type is not BookType.L2_EXCHANGE:
            found.setdefault(one.venue, ({}, {}))
        sources |= {
            name: (bids, asks)
            for name, (bids, asks) in found.items()
            if not bids or not asks or max(bids) <= min(asks)
        }
    return sources


def naive_levels(
    sources: Naive, at: int, group: Fraction | None = None
) -> dict[Fraction, dict[str, Fraction]]:
    """Return venue to quantity by price or group, best first."""
    merged: dict[Fraction, dict[str, Fraction]] = defaultdict(lambda: defaultdict(Fraction))
    for name, sides in sources.items():
        for price, quantity in sides[at].items():
            key = Fraction(price)
            if group is not None:
                key = (key // group if at == 0 else -(-key // group)) * group
            merged[key][name] += Fraction(quantity)
    return {price: dict(merged[price]) for price in sorted(merged, reverse=at == 0)}


def read_levels(found: Consolidated, at: int) -> dict[Fraction, dict[str, Fraction]]:
    """Return a side of the result in the same form."""
    levels = (found.bids, found.asks)[at]
    return {
        Fraction(level.price): {share.venue: Fraction(share.quantity) for share in level.shares}
        for level in levels
    }


def naive_taken(sources: Naive) -> tuple[Fraction, Fraction]:
    """Return quantity and gain of buying and selling unit by unit across venues, best first."""
    bids, asks = (
        [
            (name, Fraction(price), [Fraction(left)])
            for name, sides in sources.items()
            for price, left in sides[at].items()
        ]
        for at in (0, 1)
    )
    quantity = gain = Fraction(0)
    while True:
        pairs = [(bid[1] - ask[1], bid, ask) for bid in bids for ask in asks if bid[2][0] and ask[2][0]]
        margin, bid, ask = max(pairs, key=lambda pair: pair[0], default=(Fraction(0), None, None))
        if margin <= 0 or bid is None or ask is None:
            return quantity, gain
        assert bid[0] != ask[0], "no venue meets itself"
        taken = min(bid[2][0], ask[2][0])
        quantity, gain = quantity + taken, gain + taken * margin
        bid[2][0] -= taken
        ask[2][0] -= taken


@settings(max_examples=150, deadline=None)
@given(venues())
def test_a_cross_says_what_can_be_taken(books: list[VenueBook]) -> None:
    """Quantity and gain are those of matching the venues' levels one by one, however few rows are wanted."""
    found = consolidate(books, 1)
    quantity, gain = naive_taken(naive_sources(books))
    if quantity:
        assert found.cross is not None
        assert (Fraction(found.cross.quantity), Fraction(found.cross.gain)) == (quantity, gain)
        assert not found.cross.locked
        assert found.spread == found.cross.ask - found.cross.bid < 0
    else:
        assert found.cross is None or (found.cross.locked and not found.cross.gain)
        assert found.spread is None or found.spread >= 0


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=4))
def test_a_lock_counts_what_different_venues_can_trade(quantities: list[tuple[int, int]]) -> None:
    """At one price no venue meets itself: the quantity is the most that pairs of different venues make."""
    books = [
        venue(name, [("10", str(bid))] if bid else [], [("10", str(ask))] if ask else [])
        for name, (bid, ask) in zip("ABCD", quantities, strict=False)
    ]
    best = most_paired(tuple(bid for bid, _ in quantities), tuple(ask for _, ask in quantities))
    cross = consolidate(books, 1).cross
    assert (cross.quantity if cross else 0) == best
    assert cross is None or (cross.locked and not cross.gain)


def most_paired(bids: tuple[int, ...], asks: tuple[int, ...]) -> int:
    """Return the greatest flow from bids to asks of other places: by its least cut over all subsets."""
    places = range(len(bids))
    least = sum(bids)
    for chosen in range(1 << len(bids)):  # bids on the near side of the cut
        reached = {at for at in places for other in places if other != at and chosen >> other & 1}
        cut = sum(bids[at] for at in places if not chosen >> at & 1) + sum(asks[at] for at in reached)
        least = min(least, cut)
    return least


def test_a_venue_that_is_not_current_drops_out_and_is_named() -> None:
    """Its quotes are in no level, and the result says which venue it was and why."""
    good = venue("BINANCE", [("10", "1")], [("11", "1")])
    stale = venue("OKX", [("10.5", "5")], [("10.6", "5")], current=False, why="stale 14 s")
    found = consolidate([good, stale], 5)
    assert found.best_bid is not None
    assert [share.venue for share in found.best_bid.shares] == ["BINANCE"]
    assert [(quote.venue, quote.why, quote.bid) for quote in found.dropped] == [("OKX", "stale 14 s", None)]


def test_a_book_that_knows_of_its_own_trouble_drops_out() -> None:
    """Out of sync, without a snapshot, crossed by itself or a curve: whatever the caller believes."""
    lost = venue("OKX", [("10", "1")], [("11", "1")])
    lost.book.mark_out_of_sync("gap 120→123")
    crossed = venue("DERIBIT", [("12", "1")], [("11", "1")])
    curve = venue("B2C2", [("10", "1")], [("11", "1")], book_type=BookType.VWAP)
    empty = VenueBook("BITFINEX", "BITFINEX:BTC/USDT", OrderBook("BITFINEX:BTC/USDT"), True, "")
    found = consolidate([lost, crossed, curve, empty], 5)
    assert found.best_bid is None
    assert [(quote.venue, quote.why) for quote in found.dropped] == [
        ("OKX", "gap 120→123"),
        ("DERIBIT", "crossed by itself"),
        ("B2C2", "a VWAP curve, which cannot be summed"),
        ("BITFINEX", "no snapshot yet"),
    ]


def test_the_exchanges_of_a_book_are_venues() -> None:
    """Their quotes at one price are one level; one that is crossed by itself drops out, the others stay."""
    bids = [("10", "1", "ARCA"), ("10", "2", "BATS"), ("12", "9", "IEX")]
    asks = [("11", "1", "ARCA"), ("11", "2", "BATS"), ("11", "9", "IEX")]
    book = venue("IBKR", bids, asks, book_type=BookType.L2_EXCHANGE)
    found = consolidate([book], 1)
    assert found.bids[0].shares == (("ARCA", Decimal(1)), ("BATS", Decimal(2)))
    assert found.cross is None
    assert [(quote.venue, quote.why) for quote in found.dropped] == [("IEX", "crossed by itself")]


def test_a_price_that_is_read_in_part_is_read_whole() -> None:
    """A book of exchanges is not cut between two quotes of one price."""
    book = venue(
        "IBKR",
        [("10", "1", "ARCA"), ("10", "2", "BATS"), ("9", "9", "IEX")],
        [],
        book_type=BookType.L2_EXCHANGE,
    )
    assert consolidate([book], 1).bids[0].quantity == 3


def test_notional_is_of_the_raw_prices() -> None:
    """A group's notional is what its levels cost, not what its rounded price would."""
    found = consolidate(
        [venue("OKX", [], [("10.1", "1"), ("10.2", "2")]), venue("BINANCE", [], [("10.2", "1")])],
        5,
        group=Decimal(1),
    )
    assert [(level.price, level.quantity, level.notional) for level in found.asks] == [
        (Decimal(11), Decimal(4), Decimal("40.7"))
    ]


def test_two_books_of_one_venue_are_told_apart() -> None:
    """A venue named twice has its second book under the instrument's own id."""
    first, second = venue("OKX", [("10", "1")], []), venue("OKX", [("10", "2")], [])
    second = second._replace(instrument_id="OKX:BTC/USDC")
    found = consolidate([first, second], 5)
    assert found.bids[0].shares == (("OKX", Decimal(1)), ("OKX:BTC/USDC", Decimal(2)))


def test_a_deep_book_is_read_no_further_than_asked() -> None:
    """The cost follows the rows wanted, not the depth."""
    deep = [(f"{10_000 - at}", "1") for at in range(5_000)]
    asks = [(f"{10_001 + at}", "1") for at in range(5_000)]
    found = consolidate([venue("OKX", deep, asks), venue("BINANCE", deep, asks)], 20)
    assert found.read == 20
    assert len(found.bids) == len(found.asks) == 20


def test_prices_of_any_scale_are_one_book() -> None:
    """A price of 1e-12, one of 1e9 and a negative one keep every digit and their order."""
    found = consolidate(
        [
            venue("OKX", [("0.000000000001", "1.000000000000000001")], [("1000000000", "2")]),
            venue("A", [("-3", "1")], []),
        ],
        3,
        group=Decimal(2),
    )
    assert [level.price for level in found.bids] == [0, -4]
    assert found.best_bid is not None
    assert found.best_bid.quantity == Decimal("1.000000000000000001")
    assert found.asks[0].price == 1_000_000_000
