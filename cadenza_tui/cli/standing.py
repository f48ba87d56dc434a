"""What is known of the accounts that are printed, how far it is current, and what is missing."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from cadenza_tui.errors import Incomplete, Unauthorised, Unreachable
from cadenza_tui.feed.ingest import TOO_MANY_CHANNELS, UNKNOWN_CHANNEL
from cadenza_tui.market.health import ChannelState, ConnectionState
from cadenza_tui.market.valuation import currencies
from cadenza_tui.view.numbers import count
from cadenza_tui.wire import rpc
from cadenza_tui.wire.channels import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cadenza_tui.feed.priced import PricedFeed
    from cadenza_tui.market.accounts import Account
    from cadenza_tui.market.health import ChannelHealth
    from cadenza_tui.market.records import AccountId

_HARMLESS = frozenset({UNKNOWN_CHANNEL, TOO_MANY_CHANNELS})
LIVE, STALE, MISSING = "live", "stale", "missing"


class Lack(NamedTuple):
    """Something that is missing of what was asked for."""

    what: str
    account: str = ""
    reason: str = ""
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.what}: {self.reason}" if self.reason else self.what


class Standing(NamedTuple):
    """How far what is known of an account can be taken for the present."""

    state: str
    reason: str = ""


class Standings:
    """How the accounts of a feed stand: of each, the part called ``name``.

    ``query`` is what the feed calls the part's query in its troubles, ``method`` what the platform calls it.
    ``chosen`` says that the accounts were named, not just those that are listed.
    """

    def __init__(
        self,
        feed: PricedFeed,
        name: str,
        query: str,
        method: str,
        *,
        chosen: bool,
        watch: bool,
        currency: str,
    ) -> None:
        self._feed = feed
        self._name = name
        self._query = query
        self._method = method
        self._chosen = chosen
        self._watch = watch
        self._currency = currency
        self._had: set[AccountId] = set()

    def _trouble(self, name: AccountId) -> str:
        return self._feed.troubles.get(f"{self._query} of {name}", "")

    def _channel(self, name: AccountId) -> ChannelHealth | None:
        return self._feed.market.health.channels.get(self._feed.ingest.channel_of(Kind.ACCOUNT, name))

    def known(self, name: AccountId) -> bool:
        """Whether the part is known, or was once: it stays so, however old it gets."""
        if name not in self._had:
            if self._query == "orders":
                known = self._feed.bootstrapped.is_set() and not self._trouble(name)
            else:
                known = self._feed.market.account(name).has_snapshot
            if not known:
                return False
            self._had.add(name)
        return True

    def may_come(self, name: AccountId) -> bool:
        """Whether what a query did not bring may still be pushed."""
        channel = self._channel(name)
        failed = channel is not None and channel.state is ChannelState.FAILED and self._trouble(name)
        return not self.known(name) and not failed and (self._method, name) not in self._feed.denied

    def of(self, name: AccountId) -> Standing:
        """Return how an account stands."""
        connection = self._feed.market.health.connection
        if not self.known(name):
            return Standing(MISSING, self._trouble(name) or connection.reason or "no answer in time")
        if connection.state is not ConnectionState.CONNECTED:
            return Standing(STALE, connection.reason or str(connection.state))
        if trouble := self._trouble(name):
            return Standing(STALE, trouble)
        channel = self._channel(name) if self._watch else None
        if channel is not None and channel.state is not ChannelState.LIVE:
            return Standing(STALE, channel.reason or f"its channel is {channel.state}")
        return Standing(LIVE)

    def lacks(self, rounds: int) -> list[Lack]:
        """Return what is missing of what was asked for; prices were fetched so many ``rounds``."""
        feed, market, part = self._feed, self._feed.market, self._name
        lacks = []
        if not feed.accounts and feed.bootstrapped.is_set():
            why = feed.troubles.get("accounts", "")
            lacks.append(
                Lack("the list of accounts", "", why)
                if why
                else Lack("accounts", "", "the server lists none", "name one with --account")
            )
        for name in feed.accounts:
            account, standing = market.account(name), self.of(name)
            if standing.state == MISSING:
                lacks.append(Lack(f"{part} of {name}", name, standing.reason, self._remedy_for(account)))
            if account.dropped:
                entries = f"{count(account.dropped)} entries of {name}"
                lacks.append(Lack(entries, name, "more than are kept of one account"))
        more = [
            name
            for name, account in market.accounts.items()
            if account.account is not None and name not in feed.accounts
        ]
        if more and not self._chosen:
            lacks.append(
                Lack(
                    f"{part} of {_listed(more)}",
                    "",
                    f"of those listed the first {len(feed.accounts)} are taken",
                    "name those that are wanted with --account",
                )
            )
        unusable = self._unusable()
        if unusable:
            kinds = ", ".join(f"{count(number)} × {reason}" for reason, number in unusable.most_common())
            lacks.append(Lack("what could not be read", "", kinds, "report it to who runs the server"))
        return lacks + (self._price_lacks(rounds) if self._currency and feed.bootstrapped.is_set() else [])

    def _remedy_for(self, account: Account) -> str:
        if (self._method, account.account_id) in self._feed.denied:
            return "ask the operator of the server for the permission"
        if account.account is None and "accounts" not in self._feed.troubles:
            return "check the id: without --account those that are listed are printed"
        return "try again in a moment"

    def _unusable(self) -> Counter[str]:
        """Return the entries that could not be read, by named reason."""
        found = self._feed.market.health.connection.rejected - self._feed.prices.rejected
        for name in self._feed.accounts:
            channel = self._channel(name)
            found += channel.rejected if channel is not None else Counter()
        return Counter({reason: number for reason, number in found.items() if reason not in _HARMLESS})

    def _price_lacks(self, rounds: int) -> list[Lack]:
        troubles, currency = self._feed.troubles, self._currency
        if why := troubles.get("instruments") or troubles.get("tickers"):
            return [Lack(f"values in {currency}", "", why, "try again in a moment")]
        if not rounds:
            return [Lack(f"values in {currency}", "", "no prices in time", "try again in a moment")]
        instruments = self._feed.market.instruments.values()
        if any(currency in (each.base, each.quote) for each in instruments):
            return []
        choice = ", ".join(currencies(self._feed.market)[:6])
        choose = f"choose another, as {choice}" if choice else ""
        return [Lack(f"values in {currency}", "", "no listed market has it", choose)]

    def raise_what_ends(self, lacks: Sequence[Lack], timeout_s: float) -> None:
        """Raise what leaves nothing to print or to wait for."""
        names, connection = self._feed.accounts, self._feed.market.health.connection
        asked = {(self._method, name) for name in names} or {(rpc.trading_account_list()[0], "")}
        if not names or not any(map(self.known, names)):
            if not self._feed.bootstrapped.is_set() or self._feed.unanswered >= asked:
                why = f": {connection.reason}" if connection.reason else ""
                raise Unreachable(
                    f"no answer from {connection.url} within {timeout_s:g} s{why}",
                    remedy=connection.remedy or "`cadenza-tui doctor` says what stands in between",
                )
            if self._feed.denied >= asked:
                raise Unauthorised(
                    sentence(lacks),
                    remedy=remedy(lacks) or "ask the operator of the server for the permission",
                )
            if not names:
                raise Incomplete(sentence(lacks), remedy=remedy(lacks))


def _listed(names: Sequence[str], most: int = 8) -> str:
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {count(more)} more" if more > 0 else "")


def sentence(lacks: Sequence[Lack], most: int = 8) -> str:
    """Return all that is missing in one sentence."""
    more = len(lacks) - most
    return (
        "incomplete, without "
        + "; ".join(map(str, lacks[:most]))
        + (f"; and {more} more" if more > 0 else "")
    )


def remedy(lacks: Sequence[Lack]) -> str | None:
    """Return what to do about it, None where nothing is known."""
    return "; ".join(dict.fromkeys(lack.remedy for lack in lacks if lack.remedy)) or None
