"""Which panes a change in the market makes due."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cadenza_tui.market.state import Topic

if TYPE_CHECKING:
    from cadenza_tui.market.records import InstrumentId

OF_BOOK = frozenset({"book", "status", "depth", "flow"})
OF_TAPE = frozenset({"tape", "status", "chart", "book", "flow", "heat"})
OF_ACCOUNTS = frozenset({"account", "accounts", "book"})
OF_HEALTH = frozenset({"status", "health", "book"})
NONE: frozenset[str] = frozenset()


def made_due(topic: Topic, key: str, selected: InstrumentId | None) -> frozenset[str]:
    """Return the panes that show the topic's ``key`` while ``selected`` is the instrument that is shown."""
    match topic:
        case Topic.BOOK:
            return OF_BOOK if key == selected else NONE
        case Topic.TAPE:
            return OF_TAPE if key == selected else NONE
        case Topic.TICKER:
            return frozenset({"status"}) if key == selected else NONE
        case Topic.KLINE:
            return frozenset({"chart"}) if key == selected else NONE
        case Topic.ACCOUNT:
            return OF_ACCOUNTS
        case Topic.HEALTH:
            return OF_HEALTH
        case _:
            return NONE
