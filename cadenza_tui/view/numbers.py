"""Numbers as text: what the feed gave, digit for digit, in the instrument's decimals.

Exact numbers come in as the feed's plain text (or as ``Decimal``, which keeps it) and no digit that the feed
gave is dropped, except trailing zeros beyond the wanted decimals, unless a function says that it rounds.
Unknown is ``—``, never 0.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import lru_cache
from time import gmtime
from typing import TYPE_CHECKING

from cadenza_tui.view.text import clip, safe

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cadenza_tui.market.records import Instrument

UNKNOWN = "—"
MINUS = "−"
UP, DOWN, LEVEL = "▲", "▼", "·"
SECOND = 1_000_000_000

_PLAIN = re.compile(r"(-?)0*(\d+)(?:\.(\d*))?", re.ASCII)
_WIDE = Context(prec=4000, rounding=ROUND_HALF_EVEN)
_LONGEST = 120
_WITHOUT_CENTS = frozenset({"JPY", "KRW", "IDR", "VND", "CLP"})
_WITH_CENTS = frozenset(
    {"AED", "AUD", "BRL", "CAD", "CHF", "CNH", "CNY", "CZK", "DAI", "DKK", "EUR", "EURC", "GBP", "HKD", "HUF"}
    | {"ILS", "INR", "MXN", "NOK", "NZD", "PLN", "SEK", "SGD", "THB", "TRY", "ZAR"}
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SMALL, _MOST_ZEROS = Decimal("0.001"), 6
_SCALES = ((10**12, "t"), (10**9, "b"), (10**6, "m"), (10**3, "k"))


def plain(number: Decimal) -> str:
    """Return ``number`` in plain notation with the zeros it was written with."""
    return format(number, "f")


def decimals_of(step: Decimal) -> int:
    """Return how many decimals a step of price or quantity needs: 0.50 needs one, 1 none."""
    if not step.is_finite() or not step:
        return 0
    exponent = step.normalize(_WIDE).as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0


def price_decimals(instrument: Instrument | None) -> int | None:
    """Return the decimals of a price: the tick's, else the quote precision, else None for the feed's own."""
    if instrument is None:
        return None
    if instrument.tick:
        return decimals_of(instrument.tick)
    return instrument.price_decimals


def quantity_decimals(instrument: Instrument | None) -> int | None:
    """Return the decimals of a quantity: the lot's, else the base precision, else None."""
    if instrument is None:
        return None
    if instrument.lot:
        return decimals_of(instrument.lot)
    return instrument.quantity_decimals


@lru_cache(maxsize=16384)
def significant_decimals(text: str) -> int:
    """Return how many decimals ``text`` has without its trailing zeros."""
    _, point, fraction = text.partition(".")
    return len(fraction.rstrip("0")) if point else 0


@lru_cache(maxsize=32768)
def number(text: str, decimals: int | None = None) -> str:
    """Return plain ``text`` with thousands separators and at least ``decimals`` decimals; never rounds.

    ``None`` keeps the decimals as the feed spelled them. What is not a plain number comes back as it is.
    """
    match = _PLAIN.fullmatch(text)
    if match is None or len(text) > _LONGEST:
        return clip(safe(text), 40)
    sign, whole, fraction = match[1], match[2], match[3] or ""
    if decimals is not None:
        fraction = fraction.rstrip("0").ljust(decimals, "0")
    if sign and not whole.strip("0") and not fraction.strip("0"):
        sign = ""
    if len(whole) > 3:
        whole = f"{int(whole):,}"
    shown = f"{whole}.{fraction}" if fraction else whole
    return MINUS + shown if sign else shown


def exact(value: Decimal | None, decimals: int | None = None) -> str:
    """Return ``value`` as ``number`` does; ``—`` for None."""
    return UNKNOWN if value is None else number(plain(value), decimals)


def rounded(value: Decimal | None, decimals: int) -> str:
    """Return ``value`` rounded half-even to exactly ``decimals`` decimals; ``—`` for None."""
    if value is None:
        return UNKNOWN
    return number(plain(value.quantize(Decimal(1).scaleb(-decimals), context=_WIDE)), decimals)


def signed(value: Decimal | None, decimals: int | None = None, *, rounds: bool = False) -> str:
    """Return ``value`` with ``+`` or ``−`` before it; zero has no sign, None is ``—``."""
    if value is None:
        return UNKNOWN
    shown = rounded(value, decimals) if rounds and decimals is not None else exact(value, decimals)
    return shown if shown[0] == MINUS or not any(c in "123456789" for c in shown) else "+" + shown


def digits(shown: str) -> Decimal:
    """Return the number that ``number``, ``exact`` or ``signed`` has written."""
    return Decimal(shown.replace(",", "").replace(MINUS, "-").strip())


def arrow(value: Decimal | None) -> str:
    """Return the glyph of a direction: ▲ above zero, ▼ below, · for none or unknown."""
    return LEVEL if not value else (UP if value > 0 else DOWN)


def percent(value: Decimal | None, decimals: int = 2) -> str:
    """Return percents, rounded, without a sign: the arrow beside it says the direction."""
    return UNKNOWN if value is None else rounded(abs(value), decimals)


def split(shown: str) -> tuple[str, str]:
    """Return a shown number as its whole part and its fraction, the point with the fraction."""
    whole, point, fraction = shown.partition(".")
    return whole, point + fraction


@lru_cache(maxsize=8192)
def fitted(shown: str, width: int) -> str:
    """Return a shown number in at most ``width`` cells; what had to go is marked.

    Trailing zeros go first; then large numbers are abbreviated (``12.3k``, ``4.56m``); then decimals are cut
    and the cut marked with ``…``.
    """
    if len(shown) <= width:
        return shown
    whole, fraction = split(shown)
    shorter = whole + fraction.rstrip("0").rstrip(".")
    if len(shorter) <= width:
        return shorter
    try:
        value = digits(shown)
    except ArithmeticError:
        return clip(shown, width)
    magnitude = abs(value)
    at = next((place for place, (scale, _) in enumerate(_SCALES) if magnitude >= scale), None)
    if at is not None:
        for scale, mark in (
            _SCALES[at],
            _SCALES[max(at - 1, 0)],
        ):  # 1.0m where 1,000k is too long
            for places in (2, 1, 0):
                text = rounded(_WIDE.divide(value, Decimal(scale)), places) + mark
                if len(text) <= width and any(digit in text for digit in "123456789"):
                    return text
    return clip(shorter, width)


def short(value: Decimal | None) -> str:
    """Return ``value`` rounded to three or four digits for a sentence: ``0.123``, ``12.35``, ``185.9k``.

    One below a thousandth has two digits, after zeros or, where those are many, as ``1.2e−17``: it is never
    shown as 0.
    """
    if value is None:
        return UNKNOWN
    magnitude = abs(value)
    for scale, mark in _SCALES:
        if (magnitude >= scale > 1000) or magnitude >= 10 * scale:
            return rounded(_WIDE.divide(value, Decimal(scale)), 2 if magnitude < 100 * scale else 1) + mark
    if value and magnitude < _SMALL:
        power = -value.adjusted()
        if power <= _MOST_ZEROS:
            return rounded(value, power + 1)
        return f"{rounded(value.scaleb(power, _WIDE), 1)}e{MINUS}{power}"
    return rounded(value, 2 if magnitude >= 10 else 3 if magnitude >= 1 else 4)


def bps(part: Decimal, of: Decimal) -> Decimal | None:
    """Return ``part`` in basis points of ``of``; None where that has no meaning. Inexact."""
    if not of:
        return None
    return _WIDE.divide(_WIDE.multiply(part, Decimal(10_000)), abs(of))


def age(ns: int | None) -> str:
    """Return a duration for the eye: ``0.1 s``, ``14 s``, ``4 m``, ``2 h``, ``3 d``; ``—`` for None."""
    if ns is None:
        return UNKNOWN
    seconds = max(ns, 0) // SECOND
    if seconds < 1:
        return f"0.{max(ns, 0) * 10 // SECOND} s"
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def quiet_age(ns: int) -> str:
    """Return an age that seldom changes: ``·`` below a minute, ``4 m``, in fives from 5 m on, ``2 h``."""
    minutes = max(ns, 0) // (60 * SECOND)
    if minutes < 1:
        return LEVEL
    if minutes < 60:
        return f"{minutes if minutes < 5 else minutes // 5 * 5} m"
    return f"{minutes // 60} h" if minutes < 1440 else f"{minutes // 1440} d"


def money_decimals(currency: str) -> int:
    """Return the decimals that an amount of a currency is read with: 2, none for yen and its like, else 8."""
    if currency in _WITHOUT_CENTS:
        return 0
    return 2 if currency in _WITH_CENTS or currency.startswith("USD") or currency.endswith("USD") else 8


def until(at: int | None, now: int) -> str:
    """Return a moment to come as UTC: ``07:30``, with its day where that is another than ``now``'s."""
    if at is None or not 0 <= at < 253_402_300_800 * SECOND:
        return UNKNOWN
    moment = gmtime(at // SECOND)
    words = f"{moment.tm_hour:02}:{moment.tm_min:02}"
    if at // (86_400 * SECOND) == now // (86_400 * SECOND):
        return words
    day = f"{moment.tm_mday} {_MONTHS[moment.tm_mon - 1]}"
    return (
        f"{day} {words}"
        if moment.tm_year == gmtime(max(now, 0) // SECOND).tm_year
        else f"{day} {moment.tm_year}"
    )


@lru_cache(maxsize=256)
def _second(seconds: int) -> str:
    moment = gmtime(seconds)
    return f"{moment.tm_hour:02}:{moment.tm_min:02}:{moment.tm_sec:02}"


def clock(ns: int | None) -> str:
    """Return a moment as UTC wall time: ``06:28:31Z``; ``—`` for None or what no calendar holds."""
    if ns is None or not 0 <= ns < 253_402_300_800 * SECOND:
        return UNKNOWN
    return _second(ns // SECOND) + "Z"


def tape_time(ns: int | None) -> str:
    """Return a moment as UTC wall time to the millisecond: ``06:28:31.342``."""
    if ns is None or not 0 <= ns < 253_402_300_800 * SECOND:
        return UNKNOWN
    return f"{_second(ns // SECOND)}.{ns % SECOND // 1_000_000:03}"


def count(number_of: int) -> str:
    """Return a whole number with thousands separators."""
    return f"{number_of:,}"


def size(number_of_bytes: float) -> str:
    """Return bytes for the eye: ``812 B``, ``8 KB``, ``1.2 MB``."""
    if number_of_bytes < 1000:
        return f"{number_of_bytes:.0f} B"
    for unit in ("KB", "MB", "GB"):
        number_of_bytes /= 1000
        if number_of_bytes < 999.5 or unit == "GB":
            return (
                f"{number_of_bytes:.0f} {unit}" if number_of_bytes >= 10 else f"{number_of_bytes:.1f} {unit}"
            )
    raise AssertionError


def rate(a_second: float) -> str:
    """Return a rate for the eye: ``0.4/s``, ``272/s``."""
    return f"{a_second:.1f}/s" if 0 < a_second < 10 else f"{a_second:,.0f}/s"


def milliseconds(ms: float | None) -> str:
    """Return a duration for the eye: ``0.4 ms``, ``12 ms``, ``2.1 s``; ``—`` for None."""
    if ms is None:
        return UNKNOWN
    sign, ms = (MINUS, -ms) if ms < 0 else ("", ms)
    if ms >= 1000:
        return f"{sign}{ms / 1000:.1f} s"
    return f"{sign}{ms:.0f} ms" if ms >= 10 else f"{sign}{ms:.1f} ms"


@dataclass(slots=True)
class Column:
    """A column of numbers whose decimal points stand under each other.

    ``decimals`` come from the instrument; None means what the feed shows: as many as any number so far has
    needed. Widths only grow, so that nothing moves because of the value of the moment.
    """

    decimals: int | None = None
    maximum_fraction: int = 20
    whole: int = 1
    fraction: int = 0
    """Width of the fraction, its point included."""
    shown_decimals: int = 0
    _cache: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.decimals is not None:
            self.shown_decimals = self.decimals
            self.fraction = self.decimals + 1 if self.decimals else 0

    @property
    def key(self) -> tuple[int, int, int]:
        """What the column's texts depend on."""
        return self.whole, self.fraction, self.shown_decimals

    @property
    def width(self) -> int:
        """Cells that a number of this column takes."""
        return self.whole + self.fraction

    def grow(self, texts: Iterable[str]) -> None:
        """Make room for ``texts`` (plain numbers of the feed)."""
        for text in texts:
            if text not in self._cache:
                self._grow(text)

    def _grow(self, text: str) -> None:
        if self.decimals is None:
            shown_decimals = min(significant_decimals(text), self.maximum_fraction - 1)
            if shown_decimals > self.shown_decimals:
                self.shown_decimals = shown_decimals
                self._cache.clear()
        whole, fraction = split(number(text, self.shown_decimals))
        width = min(
            max(len(fraction), self.shown_decimals + 1 if self.shown_decimals else 0), self.maximum_fraction
        )
        if len(whole) > self.whole or width > self.fraction:
            self.whole = max(self.whole, len(whole))
            self.fraction = max(self.fraction, width)
            self._cache.clear()

    def text(self, text: str) -> str:
        """Return the feed's ``text`` in exactly ``width`` cells, or wider where ``grow`` has not seen it."""
        shown = self._cache.get(text)
        if shown is None:
            if len(self._cache) > 8192:
                self._cache.clear()
            whole, fraction = split(number(text, self.shown_decimals))
            if len(fraction) > self.fraction:
                fraction = clip(fraction, self.fraction)
            shown = self._cache[text] = whole.rjust(self.whole) + fraction.ljust(self.fraction)
        return shown

    def at_point(self, shown: str) -> str:
        """Return any short text with its last cell where the last whole digit stands."""
        return shown.rjust(self.whole) + " " * self.fraction
