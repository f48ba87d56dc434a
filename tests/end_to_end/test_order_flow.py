"""Depth, tape, heatmap, chart and venues in the real program, on a recording whose every number is known.

The market of one symbol on three venues is recorded, then quiet: what stands on the screen stays, and is
compared with what the recorded messages say when they are added up here.
"""

from __future__ import annotations

import json
import re
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from cadenza_tui.simulator.exchange import Exchange
from tests.end_to_end.program import DEMO, HAS_PROC, PROGRAM, live
from tests.support.columns import column, pane
from tests.support.terminal import Terminal

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(not HAS_PROC, reason="reads /proc")

SECOND = 1_000_000_000
OPENS = 1_723_161_254 * SECOND
WATCHED = 40
"""Seconds of market in the recording."""
QUIET = 4_000
"""Seconds after it."""
BITCOIN = "BINANCE:BTC/USDT"
SIZES = ((80, 24), (120, 40), (200, 60))
TAB_BACK = "\x1b[Z"

Side = dict[Decimal, Decimal]


class Known(NamedTuple):
    """What the recorded messages add up to."""

    path: Path
    books: dict[str, tuple[Side, Side]]
    """Bids and asks by instrument."""
    prints: list[dict[str, Any]]
    """Of the first instrument, oldest first."""

    @property
    def touch(self) -> tuple[Decimal, Decimal]:
        """The first instrument's."""
        bids, asks = self.books[BITCOIN]
        return max(bids), min(asks)

    @property
    def last(self) -> str:
        """The price of the newest print, as it is shown."""
        return spelled(Decimal(self.prints[-1]["price"]))

    @property
    def swept(self) -> str:
        """The size of the newest sweep: prints of one moment and one aggressor."""
        moment = [(one["timestamp"], one["side"]) for one in self.prints]
        swept = [one["quantity"] for at, one in zip(moment, self.prints, strict=True) if at == moment[-1]]
        return f"{sum(map(Decimal, swept)):.5f}"

    def grouped(self, increment: Decimal) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        """Return price and size of the first instrument's groups, best first."""
        both = []
        for bid, levels in zip((True, False), self.books[BITCOIN], strict=True):
            groups: Side = {}
            for price, size in levels.items():
                step = (price / increment).to_integral_value(ROUND_FLOOR if bid else ROUND_CEILING)
                groups[step * increment] = groups.get(step * increment, Decimal(0)) + size
            decimals = -int(increment.as_tuple().exponent)
            both.append(
                [(f"{price:,.{decimals}f}", f"{groups[price]}") for price in sorted(groups, reverse=bid)]
            )
        return both[0], both[1]


def spelled(price: Decimal) -> str:
    """Return a price as it is shown."""
    return f"{price:,.2f}"


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Known:
    """Record a market, and add its messages up."""
    exchange = Exchange(7, instruments=8, rate=60, start_ns=OPENS)
    venues = [one for one in exchange.markets if one.endswith("BTC/USDT")]
    sent = [(OPENS, said) for one in venues for said in (exchange.book_snapshot(one), exchange.ticker(one))]
    for _ in range(WATCHED):
        at = exchange.now_ns
        sent += [
            (at, said) for said in exchange.advance(at + SECOND, lambda channel: channel.endswith("BTC/USDT"))
        ]
    sent.append((OPENS + QUIET * SECOND, exchange.ticker("BINANCE:ETH/USDT")))
    found = Known(
        tmp_path_factory.mktemp("recorded") / "market.ndjson", {one: ({}, {}) for one in venues}, []
    )
    with found.path.open("w") as file:
        for at, (channel, payload) in sent:
            data = json.loads(payload)
            file.write(json.dumps({"t": at, "push": {"channel": channel, "pub": {"data": data}}}) + "\n")
            instrument = channel.partition(":")[2].partition(":")[2]
            if "orderBook" in channel:
                for name, side in zip(("bids", "asks"), found.books[instrument], strict=True):
                    take(side, data, name)
            elif "trade" in channel and instrument == BITCOIN:
                found.prints.extend(data if isinstance(data, list) else [data])
    return found


def take(side: Side, data: dict[str, list[list[str]]], name: str) -> None:
    """Apply a message to one side of a book."""
    if data["updateType"] == "SNAPSHOT":  # type: ignore[comparison-overlap]
        side.clear()
    for price, size in data[name]:
        side[Decimal(price)] = Decimal(size)
        if not Decimal(size):
            del side[Decimal(price)]


def played(known: Known, *arguments: str, **terminal: object) -> Terminal:
    """Return a terminal in which the recording is played, fast."""
    command = (*PROGRAM, "replay", str(known.path), "--speed", "60", *arguments)
    return Terminal(command, **terminal)  # type: ignore[arg-type]


def over(text: str) -> bool:
    """Whether all of the market has been played, and what follows is quiet."""
    return "100%" in text.partition("\n")[0]


def shows_ladder(text: str, known: Known, increment: Decimal) -> bool:
    """Whether prices and sizes next to the touch are those of the messages."""
    bids, asks = known.grouped(increment)
    prices = column(text, "price")
    best = asks[0][0]
    if best not in prices:
        return False
    middle = prices.index(best) + 1
    near = min(middle, 5)
    sizes = column(text, "ask")
    return (
        prices[middle - near : middle] == [price for price, _ in asks[:near]][::-1]
        and prices[middle + 1 : middle + 6] == [price for price, _ in bids[:5]]
        and sizes[-near:] == [size for _, size in asks[:near]][::-1]
        and {size for _, size in bids[:5]} <= set(column(text, "bid"))
    )


@pytest.mark.parametrize(("columns", "rows"), SIZES)
def test_what_is_shown_is_what_was_sent(known: Known, columns: int, rows: int) -> None:
    """The ladder, raw and grouped; the newest print, the chart's last price, the best of three venues."""
    newest = known.prints[-1]
    size = f"{Decimal(newest['quantity']):.5f}"
    with played(known, "--view", "wide", columns=columns, rows=rows) as terminal:
        see = terminal.wait_for
        see(lambda text: over(text) and shows_ladder(text, known, Decimal("0.01")))
        bid, ask = known.touch
        assert f"{spelled(bid)} × {spelled(ask)}" in terminal.lines[0]
        for step in ("0.02", "0.05", "0.1"):
            terminal.send("]")
            see(lambda text, step=step: f"group {step}" in text and shows_ladder(text, known, Decimal(step)))  # type: ignore[misc]
        terminal.send("\t")
        first = re.compile(rf" {re.escape(known.last)} +{size}")
        see(lambda text: bool(first.search("".join(pane(text, "Tape")[1:2]))))
        terminal.send("\t\tz")
        see(lambda text: f"◂{known.last}" in "".join(pane(text, "Chart")) and text.count("╭─") == 1)
        terminal.send("gd")
        see(lambda text: "╭─ Liquidity" in text and "╭─ Chart" not in text)
        terminal.send(TAB_BACK)
        best = {
            max(max(bids) for bids, _ in known.books.values()),
            min(min(asks) for _, asks in known.books.values()),
        }
        see(
            lambda text: (
                set(re.findall(r"([\d,.]+)◂", "".join(pane(text, "Venues")))) == set(map(spelled, best))
            )
        )


@pytest.mark.parametrize(("columns", "rows"), SIZES)
def test_keys_work_at_every_size_and_the_terminal_is_left_as_it_was(
    known: Known, columns: int, rows: int
) -> None:
    """Layouts, the heatmap, the ladder's shape, groups, sweeps, options, zoom and cursor; then ``q``."""
    with played(known, "--view", "depth", columns=columns, rows=rows) as terminal:

        def press(keys: str, title: str, shown: str = "", *, alone: bool = False) -> list[str]:
            terminal.send(keys)
            text = terminal.wait_for(
                lambda text: (
                    re.search(shown, "\n".join(pane(text, title))) is not None
                    and f"╭─ {title}" in text
                    and (text.count("╭─") == 1 or not alone)
                )
            )
            return pane(text, title)

        terminal.wait_for(lambda text: over(text) and "╭─ Liquidity" in text)
        cells = re.search(r"([\d.]+) a cell", terminal.text)
        assert cells is not None
        terminal.send("]")
        terminal.wait_for(lambda text: cells[0] not in text and " a cell" in text)
        press("z", "Liquidity", alone=True)
        press("zh", "Book", "spread")
        terminal.send("]")
        terminal.wait_for(lambda text: "group 0.02" in text)
        stack = press("", "Book", "shown")
        dom = press("m", "Book", r"^ *spread|^ *Σ.*\n.*[\d.]+")
        terminal.wait_for(lambda text: pane(text, "Book") != stack)
        assert dom
        press("mj", "Book", "▸ 61,")
        press("\x1b\\", "Tape", "VWAP")
        press("a", "Tape", rf" {re.escape(known.last)} .*{known.swept} ")
        terminal.send("o")
        terminal.wait_for(lambda text: "Tape · options" in text and "off ‹on›" in text)
        terminal.send("\x1b")
        terminal.wait_for(lambda text: "options ─" not in text)
        press("\\", "Accounts")
        press("\\", "Book", "▸ 61,")
        terminal.send("q")
        assert terminal.wait_for_end() == 0
        assert terminal.modes.left_on == set()
        assert terminal.settings == terminal.settings_before


def test_what_was_settled_on_is_found_again() -> None:
    """View, options, groups, the sizes of panes and what is pinned are after a restart as they were."""
    with Terminal(DEMO, columns=200, rows=60) as terminal:
        terminal.wait_for(lambda text: live(text) and "9 pinned" in text)
        terminal.send("nP1gw")
        terminal.wait_for(lambda text: "8 pinned" in text and "BTC/USDT BINANCE" in text and "╭─ Liq" in text)
        wide = len(pane(terminal.text, "Tape")[0])

        def settled(text: str) -> bool:
            return (
                "8 pinned" in text
                and "group 0.05" in text
                and [len(line) for line in pane(text, "Tape")[:1]] == [wide + 8]
                and "spread" in "".join(pane(text, "Book")[:1])
            )

        terminal.send("]]m<<<<")
        terminal.wait_for(settled)
        terminal.send("q")
        assert terminal.wait_for_end() == 0
    with Terminal(DEMO, columns=200, rows=60) as terminal:
        terminal.wait_for(settled)


LIMITED: dict[str, tuple[dict[str, str | None], str, str, str]] = {
    "NO_COLOR": ({"NO_COLOR": "1"}, "░▒▓█", "▲▼▴▾", "│█▀▄┃"),
    "ASCII": ({"LANG": "C", "LC_ALL": None, "LC_CTYPE": None}, ":-=+*#%@", "^v", "|#"),
    "16 colours": ({"TERM": "xterm-16color", "COLORTERM": None}, "░▒▓█", "▲▼▴▾", "│█▀▄┃"),
}
"""By the terminal: the heatmap's steps of brightness, its prints, and what candles are drawn with."""


@pytest.mark.parametrize("of", LIMITED)
def test_heatmap_and_chart_are_read_without_many_colours(known: Known, of: str) -> None:
    """Brightness, prints, gaps and candles are told by their characters, and a legend says which is more."""
    environment, steps, dots, candles = LIMITED[of]
    with played(known, "--view", "wide", environment=environment) as terminal:
        frame, gap, mark = ("+- ", "/", "<") if of == "ASCII" else ("╭─ ", "╱", "◂")

        def read(text: str) -> bool:
            lower = text.partition(f"{frame}Liquidity")[2]
            told = (steps, gap)
            return (
                over(text)
                and f"{frame}Chart" in lower
                and all(set(one) <= set(lower) for one in told)
                and all(set(one) & set(lower) for one in (dots, candles))
                and lower.count(f"{mark}{known.last}") == 2
            )

        terminal.wait_for(read)
