"""The command palette: every key's action and every choice by name, instruments, themes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.command import DiscoveryHit, Hit, Provider

from cadenza_tui.market.valuation import currencies
from cadenza_tui.ui.keys import KEYS
from cadenza_tui.ui.market_keys import WORDS
from cadenza_tui.ui.panes import PANES
from cadenza_tui.view.text import clip, safe, unfilled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from textual.command import Hits

    from cadenza_tui.ui.app import MonitorApp

NOT_COMMANDS = frozenset({"palette", "back", "pinned"})
MAX_NAME = 60
MOST_CURRENCIES = 40


class MonitorCommands(Provider):
    """What the palette offers."""

    @property
    def _app(self) -> MonitorApp:
        return self.app  # type: ignore[return-value]

    def _commands(self) -> Iterator[tuple[str, str, Callable[[], object]]]:
        app = self._app
        monitor = app.monitor
        for key in KEYS:
            if key.id not in NOT_COMMANDS:
                yield (
                    key.help[0].upper() + key.help[1:],
                    key.shown,
                    partial(app.call_later, monitor.run_action, key.action),
                )
        for pane, kind in PANES.items():
            for choice in kind.choices:
                for value in choice.values:
                    title = f"{kind.word}: {choice.word} {value}"
                    yield title, "", partial(monitor.choose, pane, choice.name, value)
            if kind.grouped:
                yield f"{kind.word}: {kind.grouped} {WORDS[pane]}", "", partial(monitor.ungroup, pane)
        yield "Tape: prints of every size", "", monitor.unfilter
        yield "Panes: the sizes they have by themselves", "", monitor.reset_sizes
        for name in sorted(app.themes):
            yield f"Theme: {name}", "", partial(app.switch_theme, name)
        own = "Value in each account's own currency"
        yield own, "", partial(monitor.value_in, "")
        for currency in currencies(app.source.market)[:MOST_CURRENCIES]:
            yield f"Value in {clip(safe(currency), MAX_NAME)}", "", partial(monitor.value_in, currency)
        for instrument_id in app.source.market.instruments:
            name = unfilled(clip(safe(instrument_id), MAX_NAME))
            yield f"Show {name}", "", partial(monitor.select, instrument_id)

    async def discover(self) -> Hits:
        """Offer the actions before anything is typed."""
        for title, shown, run in self._commands():
            if not title.startswith("Show "):
                yield DiscoveryHit(title, run, help=shown or None)

    async def search(self, query: str) -> Hits:
        """Offer what matches."""
        matcher = self.matcher(query)
        for title, shown, run in self._commands():
            score = matcher.match(title)
            if score > 0:
                yield Hit(score, matcher.highlight(title), run, help=shown or None)
