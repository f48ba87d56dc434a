"""What a book costs: ``python benchmarks/book.py`` prints one JSON line.

A message is 16 level changes, 30 % of them removals, to a book of about 300 levels a side; the best 40 of
both sides are read, in order, once in 50 messages. All contestants get the same rows of text, already decoded
from JSON and, as on the wire, just made; the clock runs while they apply and read, not while rows are
decoded. Contestants take turns within a round, the order changing from round to round; the figures are
medians over the rounds, in µs a message, reading included.

* ``order_book``: the program's own, exact. Its time includes what ``wire`` does to check every price and
  quantity (``valid_rows``, over the bytes of the rows), which no other contestant does.
* ``order_book_unchecked``: the same without that check, as the others are.
* ``float_dicts``: two dicts of floats, sorted when read: the floor, and not exact.
* ``sorted_dict_decimal``: ``sortedcontainers.SortedDict`` with Decimals.
* ``order_book_package_float`` and ``_decimal``: the C book of cryptofeed with either key.

``of_float_dicts`` is the median over the rounds of ``order_book`` / ``float_dicts``, and
``unchecked_of_float_dicts`` that of ``order_book_unchecked``. ``check_limit_us`` is what the length limits on
cells cost in the decoder, outside of the clock: the difference between decoding with and without them.
``growth`` is the program's own book at 100, 1,000 and 10,000 levels a side under the same kind of messages,
once as above and once with the read after every message.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import statistics
import sys
import time
from abc import ABC, abstractmethod
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import msgspec
from order_book import OrderBook as PackageBook
from sortedcontainers import SortedDict

from cadenza_tui.market.book import OrderBook
from cadenza_tui.market.records import BookType, BookUpdate, UpdateType
from cadenza_tui.wire.book import valid_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Rows = list[tuple[str, ...]]

INSTRUMENT = "BINANCE:BTC/USDT"
COLUMNS = ("price", "quantity")
CHANGES = 16
REMOVALS = 0.3
TOP = 40
READ_EVERY = 50
MIDDLE = 6_183_764
"""Of the market, in steps of 0.01."""

_Cell = Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
decode_rows = msgspec.json.Decoder(list[tuple[_Cell, _Cell]]).decode
decode_unlimited = msgspec.json.Decoder(list[tuple[str, str]]).decode


class Message(NamedTuple):
    """One message as it is on the wire."""

    bids: bytes
    asks: bytes


class Decoded(NamedTuple):
    """One message after the decoder, with the bytes its rows came from."""

    bids: Rows
    asks: Rows
    raw: Message
    update: BookUpdate


def market(depth: int, messages: int, seed: int) -> tuple[Message, list[Message]]:
    """Return a snapshot of ``depth`` levels a side and messages that keep it about as deep."""
    flow = random.Random(seed)
    held = [
        {MIDDLE - 1 - step for step in range(depth)},
        {MIDDLE + step for step in range(depth)},
    ]
    snapshot = Message(*(rows_json([(price, quantity(flow)) for price in side]) for side in held))
    made = []
    span = int(depth / (1 - REMOVALS)) + 1
    for _ in range(messages):
        changes: list[list[tuple[int, str]]] = [[], []]
        for _ in range(CHANGES):
            side = flow.random() < 0.5
            # Most of the traffic is near the touch, as on a real market.
            distance = int(span * flow.random() ** 2)
            price = MIDDLE + distance if side else MIDDLE - 1 - distance
            levels = held[side]
            if flow.random() < REMOVALS:
                levels.discard(price)
                changes[side].append((price, "0.00000000"))
            else:
                levels.add(price)
                changes[side].append((price, quantity(flow)))
        made.append(Message(*map(rows_json, changes)))
    return snapshot, made


def quantity(flow: random.Random) -> str:
    """Return a quantity as a venue spells it."""
    return f"{flow.uniform(0.00001, 5):.5f}000"


def rows_json(levels: list[tuple[int, str]]) -> bytes:
    """Return rows as they are on the wire."""
    return msgspec.json.encode([(f"{price // 100}.{price % 100:02d}000000", size) for price, size in levels])


def decoded(messages: list[Message]) -> list[Decoded]:
    """Return rows that were just made, as a feed has them."""
    rows: list[tuple[Rows, Rows, Message]] = [
        (decode_rows(message.bids), decode_rows(message.asks), message)  # type: ignore[misc]
        for message in messages
    ]
    return [
        Decoded(bids, asks, raw, BookUpdate(INSTRUMENT, UpdateType.DIFF, BookType.L2, COLUMNS, bids, asks, 1))
        for bids, asks, raw in rows
    ]


class Contestant(ABC):
    """Applies messages and reads the best levels; ``read`` returns what all must agree on."""

    @abstractmethod
    def apply(self, messages: list[Decoded]) -> None:
        """Apply messages in their order."""

    @abstractmethod
    def top(self) -> tuple[Any, Any]:
        """Read the best levels of both sides, best first."""

    def read(self) -> list[list[tuple[float, float]]]:
        """Return the best levels in a form that can be compared."""
        return [[(float(price), float(size)) for price, size, *_ in side] for side in self.top()]


class Own(Contestant):
    """The program's own book."""

    def __init__(self) -> None:
        self.book = OrderBook(INSTRUMENT)
        self.book.apply(BookUpdate(INSTRUMENT, UpdateType.SNAPSHOT, BookType.L2, COLUMNS, [], [], 1))

    def apply(self, messages: list[Decoded]) -> None:
        apply = self.book.apply
        for bids, asks, raw, update in messages:
            if not valid_rows(raw.bids, raw.asks, 2, len(bids), len(asks)):
                raise ValueError(raw)
            apply(update)

    def top(self) -> tuple[Any, Any]:
        return self.book.bids.top(TOP), self.book.asks.top(TOP)


class Unchecked(Own):
    """The same without the check that ``wire`` makes."""

    def apply(self, messages: list[Decoded]) -> None:
        apply = self.book.apply
        for _, _, _, update in messages:
            apply(update)


class FloatDicts(Contestant):
    """Plain dicts of floats, sorted when read."""

    def __init__(self) -> None:
        self.bids: dict[float, float] = {}
        self.asks: dict[float, float] = {}

    def apply(self, messages: list[Decoded]) -> None:
        bids, asks = self.bids, self.asks
        for bid_rows, ask_rows, _, _ in messages:
            for price, size in bid_rows:
                amount = float(size)
                if amount:
                    bids[float(price)] = amount
                else:
                    bids.pop(float(price), None)
            for price, size in ask_rows:
                amount = float(size)
                if amount:
                    asks[float(price)] = amount
                else:
                    asks.pop(float(price), None)

    def top(self) -> tuple[Any, Any]:
        bids, asks = self.bids, self.asks
        return (
            [(price, bids[price]) for price in sorted(bids, reverse=True)[:TOP]],
            [(price, asks[price]) for price in sorted(asks)[:TOP]],
        )


class DecimalDicts(Contestant):
    """The obvious first version: sorted dicts of Decimals."""

    def __init__(self) -> None:
        self.bids: Any = SortedDict()
        self.asks: Any = SortedDict()

    def apply(self, messages: list[Decoded]) -> None:
        for bid_rows, ask_rows, _, _ in messages:
            for side, rows in ((self.bids, bid_rows), (self.asks, ask_rows)):
                for price, size in rows:
                    amount = Decimal(size)
                    if amount:
                        side[Decimal(price)] = amount
                    else:
                        side.pop(Decimal(price), None)

    def top(self) -> tuple[Any, Any]:
        bids, asks = self.bids, self.asks
        return (
            [(price, bids[price]) for price in bids.keys()[-1 : -TOP - 1 : -1]],
            [(price, asks[price]) for price in asks.keys()[:TOP]],
        )


class Package(Contestant):
    """The order-book package, with keys and values of one number type."""

    number: Callable[[str], Any] = float

    def __init__(self) -> None:
        self.book = PackageBook()

    def apply(self, messages: list[Decoded]) -> None:
        number = type(self).number
        for bid_rows, ask_rows, _, _ in messages:
            for side, rows in ((self.book.bids, bid_rows), (self.book.asks, ask_rows)):
                for price, size in rows:
                    amount = number(size)
                    key = number(price)
                    if amount:
                        side[key] = amount
                    elif key in side:
                        del side[key]

    def top(self) -> tuple[Any, Any]:
        bids, asks = self.book.bids, self.book.asks
        return (
            [bids.index(place) for place in range(min(TOP, len(bids)))],
            [asks.index(place) for place in range(min(TOP, len(asks)))],
        )


class PackageDecimal(Package):
    number = Decimal


CONTESTANTS: dict[str, type[Contestant]] = {
    "order_book": Own,
    "order_book_unchecked": Unchecked,
    "float_dicts": FloatDicts,
    "sorted_dict_decimal": DecimalDicts,
    "order_book_package_float": Package,
    "order_book_package_decimal": PackageDecimal,
}


def chunks(messages: list[Message], size: int) -> Iterator[list[Message]]:
    """Yield the messages between two reads."""
    for start in range(0, len(messages), size):
        yield messages[start : start + size]


def timed(contestant: Contestant, messages: list[Message], read_every: int) -> float:
    """Return µs a message, over all messages and reads."""
    clock = time.perf_counter
    spent = 0.0
    for chunk in chunks(messages, read_every):
        for message in chunk:
            fresh = decoded([message])
            begun = clock()
            contestant.apply(fresh)
            spent += clock() - begun
        begun = clock()
        contestant.top()
        spent += clock() - begun
    return spent / len(messages) * 1e6


def decode_cost(messages: list[Message]) -> float:
    """Return µs a message that the length limits cost in the decoder."""
    costs = []
    for _ in range(5):
        spent = []
        for decode in (decode_rows, decode_unlimited):
            begun = time.perf_counter()
            for message in messages:
                decode(message.bids)
                decode(message.asks)
            spent.append(time.perf_counter() - begun)
        costs.append((spent[0] - spent[1]) / len(messages) * 1e6)
    return statistics.median(costs)


def main() -> None:
    """Run all contestants and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--messages", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()

    snapshot, messages = market(300, arguments.messages, arguments.seed)
    books = {name: make() for name, make in CONTESTANTS.items()}
    for book in books.values():
        book.apply(decoded([snapshot]))
    spent: dict[str, list[float]] = {name: [] for name in books}
    names = list(books)
    gc.collect()
    for round_ in range(arguments.rounds + 1):
        for name in names[round_ % len(names) :] + names[: round_ % len(names)]:
            took = timed(books[name], messages, READ_EVERY)
            if round_:  # the first round warms up
                spent[name].append(took)
    agreed = books["float_dicts"].read()
    for name, book in books.items():
        if book.read() != agreed:
            sys.exit(f"{name} does not hold the same book")
    medians = {name: statistics.median(times) for name, times in spent.items()}
    ratios = {
        name: statistics.median(a / b for a, b in zip(spent[name], spent["float_dicts"], strict=True))
        for name in ("order_book", "order_book_unchecked")
    }

    growth: dict[str, dict[str, float]] = {"read_every_50": {}, "read_every_message": {}}
    for depth in (100, 1_000, 10_000):
        snapshot, messages = market(depth, arguments.messages, arguments.seed)
        for label, read_every in (("read_every_50", READ_EVERY), ("read_every_message", 1)):
            book = Own()
            book.apply(decoded([snapshot]))
            book.top()
            rounds = [timed(book, messages, read_every) for _ in range(max(3, arguments.rounds // 3))]
            growth[label][str(depth)] = round(statistics.median(rounds), 2)

    levels = [len(agreed[0]), len(agreed[1])]
    assert levels == [TOP, TOP]
    own_book = books["order_book"]
    assert isinstance(own_book, Own)
    figures = {
        "benchmark": "book",
        "unit": "us a message of 16 level changes",
        "us": {name: round(value, 2) for name, value in medians.items()},
        "of_float_dicts": round(ratios["order_book"], 3),
        "unchecked_of_float_dicts": round(ratios["order_book_unchecked"], 3),
        "check_limit_us": round(decode_cost(messages), 2),
        "growth": growth,
        "levels": [own_book.book.bids.depth, own_book.book.asks.depth],
        "rounds": arguments.rounds,
        "messages": arguments.messages,
        "python": sys.version.split()[0],
    }
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
