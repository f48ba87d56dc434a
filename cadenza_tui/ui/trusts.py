"""How far what is on the screen can be trusted, by the channels it comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cadenza_tui.market.trust import book_trust, channel_trust, connection_trust, worst
from cadenza_tui.wire.channels import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cadenza_tui.market.accounts import Account
    from cadenza_tui.market.records import InstrumentId
    from cadenza_tui.market.trust import Trust
    from cadenza_tui.ui.source import Source


class Trusts:
    """Asks the source which channel something comes from, and its health how that is."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._market = source.market

    def connection(self, now: int) -> Trust:
        """Return how far the connection can be trusted."""
        return connection_trust(self._market.health, now)

    def book(self, instrument_id: InstrumentId, now: int) -> Trust:
        """Return how far an instrument's book can be trusted."""
        channel = self._source.ingest.channel_of(Kind.BOOK, instrument_id)
        return book_trust(self._market, instrument_id, channel, now)

    def channel(self, kind: Kind, key: str, now: int) -> Trust:
        """Return how far what comes by an instrument's, or account's, channel of a kind can be trusted."""
        return channel_trust(self._market.health, self._source.ingest.channel_of(kind, key), now)

    def accounts(self, accounts: Sequence[Account], chosen: str, now: int) -> Trust:
        """Return how far what is shown of the accounts can be trusted: as far as the worst of them."""
        link = self.connection(now)
        one = [each for each in accounts if each.account_id == chosen]
        if one:
            return self.channel(Kind.ACCOUNT, one[0].account_id, now)
        channel_of = self._source.ingest.channel_of
        watched = [each for each in accounts if channel_of(Kind.ACCOUNT, each.account_id)]
        if link.dimmed:
            return link
        return worst(self.channel(Kind.ACCOUNT, each.account_id, now) for each in watched) or link
