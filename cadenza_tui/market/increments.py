"""The steps a price axis is grouped by: 1, 2 and 5 times the powers of ten of the tick."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

from cadenza_tui.market import exact

if TYPE_CHECKING:
    from cadenza_tui.market.book import OrderBook
    from cadenza_tui.market.records import Instrument

COARSEST = 1_000_000
"""The widest group, in ticks."""

_MULTIPLES = (*(digit * 10**zeros for zeros in range(6) for digit in (1, 2, 5)), COARSEST)


def bare(number: Decimal) -> Decimal:
    """Return ``number`` without trailing zeros, and without an exponent: 0.5 for 0.50, 10 for 1E+1."""
    reduced = exact.CONTEXT.normalize(number)
    exponent = reduced.as_tuple().exponent
    assert isinstance(exponent, int)
    return exact.CONTEXT.quantize(reduced, Decimal(1)) if exponent > 0 else reduced


@lru_cache(maxsize=256)
def increments(tick: Decimal) -> tuple[Decimal, ...]:
    """Return the increments for a tick, finest first: the tick itself, twice, five times, ten times it, on.

    Empty for a tick that is not a positive number.
    """
    if not tick.is_finite() or tick <= 0:
        return ()
    return tuple(bare(exact.multiply(tick, Decimal(multiple))) for multiple in _MULTIPLES)


def step(tick: Decimal, held: Decimal | None, by: int) -> Decimal | None:
    """Return the increment ``by`` steps coarser than ``held``, finer if negative; None is the raw book.

    Next to the raw book stands twice the tick: prices one tick apart are the book's own. What is held need
    not be one of the steps.
    """
    steps = increments(tick)[1:]
    if not steps:
        return None
    if held is None:
        at = by - 1
    elif by > 0:
        at = bisect_right(steps, held) + by - 1
    else:
        at = bisect_left(steps, held) + by
    return None if at < 0 else steps[min(at, len(steps) - 1)]


def tick_of(instrument: Instrument | None, book: OrderBook | None) -> Decimal | None:
    """Return the price step: the instrument's, else one of its last decimal, else the book's finest one.

    None where none of them says it. ``tickSize`` is the contract's ``pipSize``.
    """
    if instrument is not None and instrument.tick is not None and instrument.tick > 0:
        return bare(instrument.tick)
    decimals = None if instrument is None else instrument.price_decimals
    if decimals is None and book is not None and book.has_snapshot and (book.bids.depth or book.asks.depth):
        decimals = max(book.bids.decimals, book.asks.decimals)
    return None if decimals is None else Decimal(1).scaleb(-decimals)
