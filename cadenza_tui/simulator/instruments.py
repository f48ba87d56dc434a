"""The instruments that can be simulated: scales, sizes, liquidity and book types."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from cadenza_tui.errors import CadenzaError

from .numbers import fixed

COLUMNS = {
    "L2": ("price", "quantity"),
    "L2_COUNTED": ("price", "quantity", "orderCount"),
    "L3": ("price", "quantity"),
    "L3_COUNTED": ("price", "quantity", "orderId"),
    "L2_EXCHANGE": ("price", "quantity", "exchange"),
    "VWAP": ("price", "quantity"),
}


@dataclass(frozen=True)
class Instrument:
    """One instrument. Prices are integer ticks and quantities integer lots everywhere in the simulator.

    ``tick`` is in units of 10^-``price_decimals`` of the quote asset, ``lot`` in units of
    10^-``quantity_decimals`` of the base asset. ``price`` is the price the market starts near, in ticks.
    """

    venue: str
    symbol: str
    price_decimals: int
    quantity_decimals: int
    price: int
    size: int
    """Median size of an order, in lots."""
    orders: int
    """Standing orders, both sides together, that arrivals and cancels balance at."""
    scale: float
    """How far from the opposite best limit orders are placed, in ticks: the half-way point, roughly."""
    weight: float
    """Share of the exchange's activity, relative to the other instruments."""
    tick: int = 1
    lot: int = 1
    book_type: str = "L2"
    kind: str = "SPOT"
    basis_bps: float = 0.0
    """How far this venue quotes from the symbol's common price."""
    noise_bps: float = 0.8
    """Standard deviation of this venue's own wandering around it."""

    @property
    def instrument_id(self) -> str:
        """``{VENUE}:{BASE}/{QUOTE}``."""
        return f"{self.venue}:{self.symbol}"

    @property
    def base(self) -> str:
        """The asset that is bought and sold; for a perpetual, the contract."""
        return self.symbol.partition("/")[0]

    @property
    def quote(self) -> str:
        """The asset that is paid with."""
        return self.symbol.partition("/")[2]

    def price_text(self, ticks: int) -> str:
        """Return a price as the wire writes it."""
        return fixed(ticks * self.tick, self.price_decimals)

    def quantity_text(self, lots: int) -> str:
        """Return a quantity as the wire writes it."""
        return fixed(lots * self.lot, self.quantity_decimals)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns of the book's rows."""
        return COLUMNS[self.book_type]


CATALOGUE: tuple[Instrument, ...] = (
    Instrument("BINANCE", "BTC/USDT", 2, 5, 6_183_764, 6_000, 1_000, 700, 26),
    Instrument("OKX", "BTC/USDT", 1, 4, 618_381, 500, 760, 60, 15, basis_bps=0.4),
    Instrument("BINANCE", "ETH/USDT", 2, 4, 268_420, 9_000, 860, 60, 16),
    Instrument("OKX", "SOL/USDT", 2, 2, 14_627, 1_200, 640, 35, 8, book_type="L2_COUNTED"),
    Instrument(
        "DERIBIT",
        "BTC-PERP/USDC",
        1,
        3,
        123_671,
        40,
        560,
        30,
        8,
        tick=5,
        kind="PERPETUAL",
        book_type="L3_COUNTED",
        basis_bps=-0.9,
    ),
    Instrument("BINANCE", "BTC-PERP/USDT", 1, 3, 618_352, 120, 820, 70, 12, kind="PERPETUAL", basis_bps=-0.5),
    Instrument("BINANCE", "XRP/USDT", 5, 1, 60_412, 9_000, 560, 25, 5),
    Instrument("B2C2", "BTC/USDT", 2, 4, 6_183_910, 9_000, 90, 500, 2.5, basis_bps=0.2, noise_bps=0.5),
    Instrument("IBKR", "EUR/USD", 5, 0, 109_182, 250, 240, 9, 2.5, lot=1_000, noise_bps=0.05),
    Instrument("IBKR", "XAU/USD", 2, 2, 243_155, 1_000, 220, 30, 1.5, noise_bps=0.1),
    Instrument("OKX", "PEPE/USDT", 8, 0, 812, 18_000, 600, 22, 4, lot=1_000),
    Instrument("BINANCE", "ETH/BTC", 5, 3, 4_341, 1_500, 420, 18, 2.5),
    Instrument("BITFINEX", "XMR/BTC", 6, 3, 2_618, 4_000, 160, 8, 0.5, noise_bps=1.5),
    Instrument("OKX", "USDT/TRY", 3, 2, 33_512, 90_000, 160, 12, 0.5, noise_bps=0.4),
    Instrument("OKX", "ETH/USDT", 2, 4, 268_431, 6_000, 640, 60, 9, basis_bps=0.3),
    Instrument("BINANCE", "SOL/USDT", 2, 3, 14_626, 14_000, 620, 30, 7),
    Instrument("DERIBIT", "ETH-PERP/USDC", 2, 2, 53_680, 300, 420, 20, 4, tick=5, kind="PERPETUAL"),
    Instrument("BITFINEX", "BTC/USD", 0, 5, 61_822, 7_000, 360, 12, 4, basis_bps=-1.1),
    Instrument("BINANCE", "DOGE/USDT", 5, 0, 10_713, 4_000, 520, 20, 4),
    Instrument("BINANCE", "ADA/USDT", 4, 1, 3_508, 20_000, 420, 14, 3),
    Instrument("OKX", "LINK/USDT", 3, 2, 10_642, 3_000, 420, 18, 2.5),
    Instrument("OKX", "AVAX/USDT", 2, 2, 2_235, 2_000, 360, 12, 2.5),
    Instrument("IBKR", "GBP/USD", 5, 0, 127_644, 200, 220, 9, 1.5, lot=1_000, noise_bps=0.05),
    Instrument("IBKR", "USD/JPY", 3, 0, 146_612, 250, 220, 12, 1.5, lot=1_000, noise_bps=0.05),
    Instrument("HYPERLIQUID", "HYPE/USDC", 3, 2, 18_214, 4_000, 360, 25, 2),
    Instrument("CUMBERLAND", "BTC/USDT", 2, 4, 6_183_640, 15_000, 70, 700, 1, noise_bps=0.4),
    Instrument("BITFINEX", "ETH/USD", 1, 4, 26_838, 8_000, 420, 14, 3, book_type="L3"),
    Instrument("IBKR", "AAPL/USD", 2, 0, 22_817, 120, 420, 12, 2, kind="CFD", book_type="L2_EXCHANGE"),
    Instrument(
        "WINTERMUTE", "BTC/USDT", 2, 4, 6_183_800, 12_000, 80, 600, 1, book_type="VWAP", noise_bps=0.4
    ),
)
DEFAULT_INSTRUMENTS = 14


def choose(count: int) -> tuple[Instrument, ...]:
    """Return the first ``count`` instruments of the catalogue, or raise a sentence that names the bounds."""
    if not 1 <= count <= len(CATALOGUE):
        raise CadenzaError(
            f"the simulator has 1 to {len(CATALOGUE)} instruments, was asked for {count}",
            remedy=f"pass --instruments between 1 and {len(CATALOGUE)}",
        )
    return CATALOGUE[:count]
