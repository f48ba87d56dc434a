"""What a quantity of one asset is worth in another, by which prices, and whether that can be trusted."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from operator import add
from typing import TYPE_CHECKING, TypeAlias
from weakref import WeakKeyDictionary

from cadenza_tui.market import exact
from cadenza_tui.market.prices import PriceNow, market_price

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from cadenza_tui.market.records import Instrument, InstrumentId, Nanoseconds
    from cadenza_tui.market.state import Market

INVERSE_PLACES = 12
"""Decimals of a value that had to be divided; a product needs no rounding."""

KINDS = {"SPOT": 0, "CFD": 1, "PERPETUAL": 1}
"""The kinds of instrument whose price is a price of the base itself, the best first: an option's is not."""
CLOSED = frozenset({"INACTIVE", "DISABLED", "DELISTED"})

PriceSource: TypeAlias = Callable[["Instrument"], PriceNow | None]
"""Gives an instrument's price, None where there is none."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One price of a path, divided by where ``inverse``; ``reason`` says what makes it stale."""

    instrument_id: InstrumentId
    inverse: bool
    price: Decimal
    stale: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Valuation:
    """``value`` in the currency, None while no price is known; ``reason`` says why it is stale or missing.

    No ``legs`` where nothing had to be converted, or nothing could be.
    """

    value: Decimal | None
    stale: bool = False
    reason: str = ""
    legs: tuple[Leg, ...] = ()


@dataclass(frozen=True, slots=True)
class Total:
    """The sum of what could be valued, None where nothing could; ``missing`` names what is left out."""

    value: Decimal | None
    stale: bool = False
    missing: tuple[str, ...] = ()


def value(
    asset: str,
    quantity: Decimal,
    currency: str,
    market: Market,
    *,
    now: Nanoseconds | None = None,
    price_of: PriceSource | None = None,
    venue: str = "",
) -> Valuation:
    """Return the worth of ``quantity`` of ``asset`` in ``currency``, through one price or two.

    A market quoted the other way round is divided by. Products are exact; where there is a divisor, the exact
    product is divided by the exact product of all of them, and rounded once, to ``INVERSE_PLACES``.

    Of the paths there are, in this order: the fewest stale prices, the fewest prices, spot before the other
    ``KINDS``, books before tickers before last trades, spreads within ``prices.WIDE`` before wider ones, and
    ``venue``'s own markets (where the balance is). What is left is decided by names alone, so that the choice
    rests while prices move: through the asset that is in the most listed pairs, then by the instrument ids.
    Without ``now`` a price's age is not judged.
    """
    if asset == currency:
        return Valuation(quantity)
    legs = _path(
        asset, currency, _pairs(market), price_of or (lambda each: market_price(each, market, now)), venue
    )
    if not legs:
        return Valuation(None, reason=f"no price of {asset} in {currency}")
    worth, divisor = quantity, None
    for leg in legs:
        if not leg.inverse:
            worth = exact.multiply(worth, leg.price)
        else:
            divisor = leg.price if divisor is None else exact.multiply(divisor, leg.price)
    if divisor is not None:
        worth = exact.divide(worth, divisor, INVERSE_PLACES)
    stale = [leg.reason for leg in legs if leg.stale]
    return Valuation(worth, bool(stale), "; ".join(filter(None, stale)), legs)


def total(parts: Iterable[tuple[str, Valuation]]) -> Total:
    """Return the exact sum of valuations in one currency, each with its asset; 0 for none at all."""
    worth: Decimal | None = None
    stale = False
    missing: dict[str, None] = {}
    for asset, part in parts:
        if part.value is None:
            missing[asset] = None
            continue
        worth = part.value if worth is None else exact.add(worth, part.value)
        stale = stale or part.stale
    if worth is None and not missing:
        worth = exact.add()
    return Total(worth, stale, tuple(missing))


def path_text(valuation: Valuation) -> str:
    """Return the path for the eye: ``PEPE/USDT × 1/(BTC/USDT)``, with venues if they differ."""
    one_venue = len({leg.instrument_id.partition(":")[0] for leg in valuation.legs}) <= 1
    return " × ".join(_leg_text(leg, one_venue=one_venue) for leg in valuation.legs)


def _leg_text(leg: Leg, *, one_venue: bool) -> str:
    name = leg.instrument_id.partition(":")[2] if one_venue else leg.instrument_id
    return f"1/({name})" if leg.inverse else name


def currencies(market: Market) -> list[str]:
    """Return what something is quoted in, the commonest first, then by name."""
    return list(_pairs(market).quotes)


def leading(asset: str, currency: str, market: Market, *, between: bool = False) -> list[InstrumentId]:
    """Return the instruments whose prices can value ``asset``: direct ones, or those ``between``.

    The latter lead through the commonest assets first.
    """
    pairs = _pairs(market)
    if not between:
        return [instrument.instrument_id for instrument, _ in pairs.options.get((asset, currency), ())]
    shared = pairs.partners.get(asset, set()) & pairs.partners.get(currency, set())
    return [
        instrument.instrument_id
        for via in sorted(shared, key=pairs.rank.__getitem__)
        for leg in ((asset, via), (via, currency))
        for instrument, _ in pairs.options[leg]
    ]


_Key: TypeAlias = tuple[int, ...]
_Option: TypeAlias = tuple["Instrument", bool]
"""An instrument, and whether it leads there the other way round."""


class _Pairs:
    """The listed instruments by what they lead from and to; ``rank`` puts the asset in most pairs first."""

    def __init__(self, instruments: dict[InstrumentId, Instrument]) -> None:
        self.instruments = instruments
        self.size = len(instruments)
        self.options: defaultdict[tuple[str, str], list[_Option]] = defaultdict(list)
        self.partners: defaultdict[str, set[str]] = defaultdict(set)
        quotes: Counter[str] = Counter()
        listed: Counter[str] = Counter()
        for instrument_id in sorted(instruments):
            instrument = instruments[instrument_id]
            base, quote = instrument.base, instrument.quote
            if instrument.kind not in KINDS or not base or not quote or base == quote:
                continue
            self.options[base, quote].append((instrument, False))
            self.options[quote, base].append((instrument, True))
            self.partners[base].add(quote)
            self.partners[quote].add(base)
            quotes[quote] += 1
            listed.update((base, quote))
        self.quotes = sorted(quotes, key=lambda quote: (-quotes[quote], quote))
        order = sorted(listed, key=lambda asset: (-listed[asset], asset))
        self.rank = {asset: place for place, asset in enumerate(order)}


_held: WeakKeyDictionary[Market, _Pairs] = WeakKeyDictionary()


def _pairs(market: Market) -> _Pairs:
    held = _held.get(market)
    if held is None or held.instruments is not market.instruments or held.size != len(market.instruments):
        held = _held[market] = _Pairs(market.instruments)
    return held


_LEAST: _Key = (0, 1, 0, 0, 0, 0)
"""The rank of a leg than which none is better."""


def _sum(left: _Key, right: _Key) -> _Key:
    return tuple(map(add, left, right))


def _path(asset: str, currency: str, pairs: _Pairs, source: PriceSource, venue: str) -> tuple[Leg, ...]:
    """Return the best path, empty where there is none.

    A path's rank is the sum of its legs', compared part by part, so the best of each leg make the best path.
    """
    direct = _leg(asset, currency, pairs, source, venue)
    if direct is not None and not direct[0][0]:
        return (direct[1],)
    best: tuple[_Key, int, tuple[Leg, ...]] | None = None if direct is None else (direct[0], 0, (direct[1],))
    fewer, more = sorted((pairs.partners.get(asset, set()), pairs.partners.get(currency, set())), key=len)
    for between in fewer:
        if between not in more:
            continue
        first = _leg(asset, between, pairs, source, venue)
        if first is None or (best is not None and _sum(first[0], _LEAST) > best[0]):
            continue
        second = _leg(between, currency, pairs, source, venue)
        if second is None:
            continue
        key = _sum(first[0], second[0])
        rank = pairs.rank[between]
        if best is None or (key, rank) < best[:2]:
            best = key, rank, (first[1], second[1])
    return () if best is None else best[2]


def _leg(
    asset: str, currency: str, pairs: _Pairs, source: PriceSource, venue: str
) -> tuple[_Key, Leg] | None:
    best: tuple[_Key, Leg] | None = None
    for instrument, inverse in pairs.options.get((asset, currency), ()):
        found = source(instrument)
        if found is None or found.price <= 0:
            continue
        closed = instrument.status in CLOSED
        stale = found.stale or closed
        key = (
            stale,
            1,
            KINDS[instrument.kind],
            found.origin,
            found.wide,
            bool(venue) and instrument.venue != venue,
        )
        if best is None or key < best[0]:
            reason = f"{instrument.instrument_id} is {instrument.status.lower()}" if closed else found.reason
            best = key, Leg(instrument.instrument_id, inverse, found.price, stale, reason)
    return best
