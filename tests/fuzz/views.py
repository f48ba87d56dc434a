"""The panes of the market, drawn at any size and with anything chosen, of whatever publications have left.

An input is lines, as in ``market``; besides, ``n`` is an instrument as the server lists it, ``+`` lets so
many seconds pass, ``-`` loses the link or finds it again, and ``v`` is a look: the rest of the line decides
about size, choices and keys.
"""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from cadenza_tui.feed.beat import Beat
from cadenza_tui.feed.ingest import INTERNAL, Ingest
from cadenza_tui.market.health import ConnectionState
from cadenza_tui.market.interest import CandleOrigin, CandleSource
from cadenza_tui.market.state import Market
from cadenza_tui.market.times import SECOND
from cadenza_tui.ui.desk import Desk
from cadenza_tui.ui.panes import PANES
from cadenza_tui.ui.preferences import Preferences
from cadenza_tui.ui.presenter import Presenter
from cadenza_tui.view.rows import Bars
from cadenza_tui.view.text import FILLER
from cadenza_tui.wire import rpc
from cadenza_tui.wire.rejected import Rejected
from tests.fuzz import market
from tests.view.support import bad_widths, text

if TYPE_CHECKING:
    from cadenza_tui.ui.source import Source
    from cadenza_tui.view.rows import Row

SIZES = ((1, 1), (7, 3), (24, 5), (38, 10), (40, 20), (78, 21), (118, 37), (198, 57))
LOOKS = 6
"""Looks of one input; each draws every pane."""
SHOWN = ("instruments", "book", "tape", "heat", "depth", "flow", "chart", "venues")
OTHER = "OKX:BTC/USDT"


class Screen:
    """A market that is fed line by line, and the panes that are drawn of it."""

    def __init__(self) -> None:
        self.market = Market()
        self.time = market.NOW
        self._beat = Beat(self.market)
        self.ingest = Ingest(self.market, lambda: self.time)
        for channel, name in market.CHANNELS.values():
            self.ingest.register(channel, name)
        link = self.market.health.connection
        link.state, link.since, link.last_frame = ConnectionState.CONNECTED, self.time, self.time
        self._desk = Desk(pinned=[market.BTC, OTHER], selected=market.BTC)
        self.market.attend(market.BTC, (market.BTC, OTHER))
        self._preferences = Preferences()
        source = SimpleNamespace(
            market=self.market, ingest=self.ingest, pinned=self._desk.pinned, now=lambda: self.time
        )
        self._presenters = {
            bars: Presenter(cast("Source", source), self._desk, self._preferences, bars=bars) for bars in Bars
        }

    def go_on(self, seconds: int) -> None:
        """Let time pass, second by second."""
        self.time += seconds * SECOND
        self._beat.to(self.time)

    def turn_link(self) -> None:
        """Lose the link, or have it again."""
        link = self.market.health.connection
        up = link.state is ConnectionState.CONNECTED
        link.state = ConnectionState.CONNECTING if up else ConnectionState.CONNECTED
        link.last_frame = self.time

    def list(self, payload: bytes) -> None:
        """Take what is listed."""
        try:
            self.market.set_instruments(rpc.decode_instruments(b'{"data":[%b]}' % payload))
        except (Rejected, rpc.RpcFailed):
            return

    def look(self, chance: random.Random) -> None:
        """Choose something, press something, and draw every pane twice."""
        presenter = self._presenters[chance.choice(list(Bars))]
        for name in SHOWN:
            chosen = {one.name: chance.choice(one.values) for one in PANES[name].choices}
            self._preferences.options[name] = chosen if chance.random() < 0.8 else {}
        self.market.candle_sources[market.BTC, "1m"] = CandleSource(chance.choice(list(CandleOrigin)), "why")
        self._press(presenter, chance)
        width, height = chance.choice(SIZES)
        for name in SHOWN:
            pane = presenter.pane(name, width, height, self.time)
            assert len(pane.body) <= height, f"{name} is no higher than its place"
            assert not bad_widths(pane.body, width), f"{name} is as wide as its place"
            for row in (*pane.body, pane.title, pane.trust):
                _harmless(row, name)
            again = presenter.pane(name, width, height, self.time)
            assert [text(row) for row in again.body] == [text(row) for row in pane.body], f"{name} stands"

    def _press(self, presenter: Presenter, chance: random.Random) -> None:
        keys = presenter.keys
        for _ in range(chance.randrange(6)):
            name = chance.choice(SHOWN)
            match chance.randrange(9):
                case 0:
                    presenter.move(name, chance.choice((-50, -1, 1, 2, 50)))
                case 1:
                    presenter.page(name, chance.choice((-1, 1)), 20)
                case 2:
                    keys.shift(name, chance.choice((-5, -1, 1)))
                case 3:
                    keys.unfold()
                case 4:
                    keys.step_filter(chance.choice((-1, 1)))
                case 5:
                    presenter.centre((name,))
                case 6:
                    presenter.release(name)
                case 7:
                    keys.pause_tape()
                case _ if PANES[name].grouped:
                    keys.regroup(name, chance.choice((-1, 1, 1, 3)))


def _harmless(row: Row, name: str) -> None:
    said = text(row).replace(FILLER, "")
    assert said.isprintable(), f"{name} has nothing that a terminal would obey: {said!r}"


def run(data: bytes) -> None:
    """Feed each line, and look where the input says so, and at the end."""
    screen = Screen()
    looks = 0
    for number, (letter, payload) in enumerate(market.lines(data), 1):
        if letter == b"+":
            screen.go_on(int(payload) % 2_000 if payload.isdigit() and len(payload) < 5 else 1)
        elif letter == b"-":
            screen.turn_link()
        elif letter == b"n":
            screen.list(payload)
        elif letter == b"v" and looks < LOOKS:
            looks += 1
            screen.look(random.Random(payload))
        elif letter in market.CHANNELS:
            channel = market.CHANNELS[letter][0]
            screen.ingest.publication(channel, payload, number, "e", screen.time + number)
    screen.look(random.Random(data))
    market.check(screen.market)
    for route in screen.ingest.routes():
        assert not route.health.rejected[INTERNAL], f"an exception in {route.channel}"
