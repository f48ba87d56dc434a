"""What each instrument is worth: slow seeded factors that keep the books of one symbol together.

A symbol's log price is the market factor times its beta plus a factor of its own; each venue adds its basis
and a small wandering. All are mean-reverting, so prices stay near where they began, and all step on a grid
of exchange time, so that the path depends on the seed alone and not on how busy the books are.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, sqrt
from random import Random
from typing import TYPE_CHECKING

from .numbers import SECOND

if TYPE_CHECKING:
    from .instruments import Instrument

STEP_NS = SECOND // 4
_STEP_SECONDS = STEP_NS / SECOND
_BPS = 1e-4
_REVERSION_SECONDS = 6_000.0
_NOISE_SECONDS = 15.0


@dataclass(frozen=True)
class Beta:
    """How an asset moves: with the market, and by itself in bps per square root of a second."""

    market: float
    own: float


ASSETS = {
    "BTC": Beta(1.0, 0.21),
    "ETH": Beta(1.15, 0.48),
    "SOL": Beta(1.3, 0.78),
    "XRP": Beta(0.9, 0.72),
    "PEPE": Beta(1.6, 1.8),
    "DOGE": Beta(1.2, 0.96),
    "ADA": Beta(1.1, 0.78),
    "LINK": Beta(1.1, 0.84),
    "AVAX": Beta(1.2, 0.9),
    "HYPE": Beta(1.2, 1.5),
    "EUR": Beta(0.0, 0.072),
    "GBP": Beta(0.0, 0.078),
    "JPY": Beta(0.0, 0.084),
    "XAU": Beta(0.0, 0.18),
}
MARKET_VOLATILITY = 0.6  # bps per square root of a second


def _asset(name: str) -> str:
    return name.removesuffix("-PERP")


class Reference:
    """The fair price of each instrument, in ticks and unrounded, at the exchange's time."""

    def __init__(self, seed: int, instruments: tuple[Instrument, ...], start_ns: int) -> None:
        self._instruments = instruments
        self._random = Random(f"{seed}/reference")
        self._noise_random = [Random(f"{seed}/noise/{one.instrument_id}") for one in instruments]
        self._market = 0.0
        self._own = dict.fromkeys(ASSETS, 0.0)
        self._noise = [0.0] * len(instruments)
        self._next_ns = start_ns + STEP_NS
        self.prices: list[float] = [float(one.price) for one in instruments]

    def advance(self, until_ns: int) -> None:
        """Step every factor up to ``until_ns``."""
        if until_ns < self._next_ns:
            return
        gauss = self._random.gauss
        kept = 1.0 - _STEP_SECONDS / _REVERSION_SECONDS
        kick = _BPS * sqrt(_STEP_SECONDS)
        noise_kept = 1.0 - _STEP_SECONDS / _NOISE_SECONDS
        noise_kick = _BPS * sqrt(2.0 * _STEP_SECONDS / _NOISE_SECONDS)
        while self._next_ns <= until_ns:
            self._next_ns += STEP_NS
            self._market = self._market * kept + gauss(0.0, MARKET_VOLATILITY * kick)
            for name, beta in ASSETS.items():
                self._own[name] = self._own[name] * kept + gauss(0.0, beta.own * kick)
            for index, one in enumerate(self._instruments):
                self._noise[index] = self._noise[index] * noise_kept + self._noise_random[index].gauss(
                    0.0, one.noise_bps * noise_kick
                )
        self.prices = [
            one.price * exp(self._factor(one.base) - self._factor(one.quote) + self._noise[index])
            for index, one in enumerate(self._instruments)
        ]

    def halt(self, duration_ns: int) -> None:
        """Let time pass without a step."""
        self._next_ns += duration_ns

    def _factor(self, name: str) -> float:
        asset = _asset(name)
        beta = ASSETS.get(asset)
        return 0.0 if beta is None else beta.market * self._market + self._own[asset]
