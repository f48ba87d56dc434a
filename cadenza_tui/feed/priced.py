"""A feed of accounts alone, for the commands that print them: brings prices, and tells refusals apart."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeAlias

from cadenza_tui.centrifugo.errors import CallTimeout, ConnectionLost, ReplyError
from cadenza_tui.feed.prices import Prices
from cadenza_tui.feed.worker import Feed
from cadenza_tui.wire import rpc
from cadenza_tui.wire.rejected import Rejected

if TYPE_CHECKING:
    from msgspec import Raw

    from cadenza_tui.market.records import AccountId

NO_PERMISSION = frozenset({101, 103})
"""Errors of the protocol: unauthorised, permission denied."""
REFUSED = frozenset({401, 403})
"""Errors of the platform, which speaks HTTP's numbers."""

Query: TypeAlias = tuple[str, "AccountId"]
"""A method and the account that it is asked about, "" for none."""


class PricedFeed(Feed):
    """A feed that is made with ``markets=False``."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.denied: set[Query] = set()
        """The queries that were refused for want of a permission."""
        self.unanswered: set[Query] = set()
        """The queries that got no answer."""
        self.prices = Prices(self._queries)

    async def _call(self, method: str, params: object = None) -> Raw:
        account_id = str(params.get("tradingAccountId") or "") if isinstance(params, dict) else ""
        query = method, account_id
        try:
            raw = await super()._call(method, params)
            with suppress(Rejected):  # what cannot be read is the concern of whoever asked
                rpc.confirm(raw)
        except (ReplyError, rpc.RpcFailed) as error:
            if error.code in (NO_PERMISSION if isinstance(error, ReplyError) else REFUSED):
                self.denied.add(query)
            raise
        except (CallTimeout, ConnectionLost):
            self.unanswered.add(query)
            raise
        self.denied.discard(query)
        self.unanswered.discard(query)
        return raw
