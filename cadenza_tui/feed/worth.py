"""Keeps the prices at hand that value what the accounts hold, where no book of ours is followed for them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from cadenza_tui.market.prices import Origin, market_price
from cadenza_tui.market.valuation import value

if TYPE_CHECKING:
    from cadenza_tui.feed.prices import Prices
    from cadenza_tui.market.prices import PriceNow
    from cadenza_tui.market.records import Instrument
    from cadenza_tui.market.state import Market

EVERY_S = 20.0
"""A third of the age at which a price is stale: one lost answer does not make it so."""
LOOK_S = 1.0
"""How soon a new asset, or another currency, is noticed."""
MOST_ASSETS = 200
DEFAULT_CURRENCY = "USDT"


@dataclass
class Worth:
    """Fetches the tickers that are missing every ``EVERY_S``, at once for an asset that is new.

    ``currency`` is what everything is valued in, "" for what each account's own summary says.
    """

    market: Market
    prices: Prices
    currency: str = ""

    async def run(self) -> None:
        """Keep the prices at hand until cancelled. To be run anew on each link."""
        clock = asyncio.get_running_loop().time
        due = clock()
        known: set[tuple[str, str]] = set()
        while True:
            held = self._held()
            if clock() >= due:
                known.clear()
                due = clock() + EVERY_S
            try:
                await self._bring(held - known)
            except Exception as error:  # prices are wanted, but not at any price
                self.market.health.connection.rejected[f"prices: {type(error).__name__}"] += 1
            known |= held
            await asyncio.sleep(LOOK_S)

    def _held(self) -> set[tuple[str, str]]:
        """Return each asset that is held, with what it is to be valued in."""
        held: set[tuple[str, str]] = set()
        for account in self.market.accounts.values():
            own = account.summary.currency if account.summary is not None else ""
            currency = self.currency or own or DEFAULT_CURRENCY
            held |= {(each.asset, currency) for each in account.balances.values() if each.total or each.net}
        return held

    async def _bring(self, pairs: set[tuple[str, str]]) -> None:
        for currency in sorted({currency for _, currency in pairs}):
            assets = sorted(asset for asset, of in pairs if of == currency and not self._by_books(asset, of))
            await self.prices.bring(assets[:MOST_ASSETS], currency)

    def _by_books(self, asset: str, currency: str) -> bool:
        found = value(asset, Decimal(1), currency, self.market, price_of=self._book_price)
        return found.value is not None and not found.stale

    def _book_price(self, instrument: Instrument) -> PriceNow | None:
        found = market_price(instrument, self.market)
        return found if found is not None and found.origin is Origin.BOOK else None
