"""What valuing accounts costs: ``python benchmarks/valuation.py`` prints one JSON line.

40 assets are valued among 5,000 listed instruments (500 assets quoted in three currencies on five venues, all
with fresh tickers), in µs an asset, the median over the rounds:

* ``direct``: in USDT, which each is quoted in, on five venues.
* ``between``: in EUR, which only USDT leads to: each price of the asset, and of two pairs.
* ``hub_stale``: the worst, one asset alone: USDT in BTC when every price is stale, so that every other asset
  is tried as one in between.
* ``scan``: ``direct`` by a look at every instrument, as there would be without the index.
* ``index_ms``: building the index, once for each list of instruments.

``of_scan`` is the median over the rounds of ``direct`` / ``scan``.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from decimal import Decimal
from typing import TYPE_CHECKING

from cadenza_tui.market import exact
from cadenza_tui.market.prices import STALE_AFTER_NS, market_price
from cadenza_tui.market.records import Instrument, Ticker
from cadenza_tui.market.state import Market
from cadenza_tui.market.valuation import currencies, value

if TYPE_CHECKING:
    from collections.abc import Callable

VENUES = ("BINANCE", "OKX", "BITFINEX", "B2C2", "DERIBIT")
QUOTES = ("USDT", "BTC", "ETH")
LISTED = 5_000
HELD = 40
NOW = 10**18
QUANTITY = Decimal("1.2345")


def market() -> Market:
    """Return the market."""
    names = [f"A{number}" for number in range(LISTED // (len(VENUES) * len(QUOTES)))]
    pairs = [(base, quote) for base in (*names, "BTC", "ETH") for quote in QUOTES if base != quote]
    listed = [(venue, base, quote) for venue in VENUES for base, quote in pairs]
    listed += [(venue, "USDT", "EUR") for venue in VENUES[:2]]
    made = Market()
    made.set_instruments(
        Instrument(f"{venue}:{base}/{quote}", venue, f"{base}/{quote}", base=base, quote=quote)
        for venue, base, quote in listed
    )
    for instrument_id in made.instruments:
        ticker = Ticker(instrument_id, NOW, bid_price=Decimal("100.01"), ask_price=Decimal("100.02"))
        made.apply_ticker(ticker)
    return made


def scanned(asset: str, quantity: Decimal, currency: str, of: Market) -> Decimal | None:
    """Return the value by the fresh price of the first venue by name, after a look at every instrument."""
    best: tuple[str, Decimal] | None = None
    for name, instrument in of.instruments.items():
        if (instrument.base, instrument.quote) == (asset, currency):
            found = market_price(instrument, of, NOW)
            if found is not None and not found.stale and (best is None or name < best[0]):
                best = name, found.price
    return None if best is None else exact.multiply(quantity, best[1])


def timed(work: Callable[[], object], each: int) -> float:
    """Return the µs of one of ``each`` pieces of work."""
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1e6 / each


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=21)
    rounds: int = parser.parse_args().rounds
    of = market()
    index_ms = timed(lambda: currencies(of), 1_000)
    held = [f"A{number * 7}" for number in range(HELD)]
    late = NOW + 2 * STALE_AFTER_NS
    contestants: dict[str, tuple[int, Callable[[], object]]] = {
        "direct": (HELD, lambda: [value(name, QUANTITY, "USDT", of, now=NOW) for name in held]),
        "between": (HELD, lambda: [value(name, QUANTITY, "EUR", of, now=NOW) for name in held]),
        "hub_stale": (1, lambda: value("USDT", QUANTITY, "BTC", of, now=late)),
        "scan": (HELD, lambda: [scanned(name, QUANTITY, "USDT", of) for name in held]),
    }
    costs: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(rounds):
        order = list(contestants)
        for name in order[number % len(order) :] + order[: number % len(order)]:
            each, work = contestants[name]
            costs[name].append(timed(work, each))
    figures = {name: round(statistics.median(series), 1) for name, series in costs.items()}
    ratios = [direct / scan for direct, scan in zip(costs["direct"], costs["scan"], strict=True)]
    ratio = round(statistics.median(ratios), 4)
    told = {"instruments": len(of.instruments), "index_ms": round(index_ms, 2), "of_scan": ratio}
    sys.stdout.write(json.dumps({"benchmark": "valuation", **told, "us": figures}) + "\n")


if __name__ == "__main__":
    main()
