"""The prices that value what accounts hold: fetched when they are asked for, and only those needed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import chain
from typing import TYPE_CHECKING

from cadenza_tui.feed.bootstrap import MAX_TICKERS
from cadenza_tui.market.valuation import leading, value

if TYPE_CHECKING:
    from collections.abc import Collection

    from cadenza_tui.feed.bootstrap import Bootstrap
    from cadenza_tui.market.records import InstrumentId

MOST_TICKERS = 5 * MAX_TICKERS


@dataclass
class Prices:
    """Brings prices through the queries of a feed; why one brought nothing stands in their ``troubles``."""

    queries: Bootstrap
    rejected: Counter[str] = field(default_factory=Counter)
    """What could not be used of the answers, by named reason; the connection counts it too."""

    async def bring(self, assets: Collection[str], currency: str) -> None:
        """Fetch the tickers that lead from ``assets`` to ``currency``.

        The listed instruments are fetched once; prices in between where no fresh one leads there directly.
        """
        market = self.queries.market
        before = market.health.connection.rejected.copy()
        if not market.instruments:
            await self.queries.instruments()
        wanted = [asset for asset in assets if asset != currency]
        for between in (False, True):
            names = (leading(asset, currency, market, between=between) for asset in wanted)
            await self._tickers(list(dict.fromkeys(chain.from_iterable(names))))
            wanted = [asset for asset in wanted if not self._is_priced(asset, currency)]
        self.rejected += market.health.connection.rejected - before

    def _is_priced(self, asset: str, currency: str) -> bool:
        found = value(asset, Decimal(1), currency, self.queries.market, now=self.queries.now())
        return found.value is not None and not found.stale

    async def _tickers(self, wanted: list[InstrumentId]) -> None:
        troubles = self.queries.troubles
        for start in range(0, min(len(wanted), MOST_TICKERS), MAX_TICKERS):
            await self.queries.tickers(wanted[start : start + MAX_TICKERS])
            if "tickers" in troubles:
                return
        if len(wanted) > MOST_TICKERS:
            troubles["tickers"] = f"more than {MOST_TICKERS:,} prices would have to be fetched"
