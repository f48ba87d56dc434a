"""What the monitor can be opened on: a live feed or a recording being played."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from cadenza_tui.feed.ingest import Ingest
    from cadenza_tui.market.interest import Interest
    from cadenza_tui.market.records import InstrumentId
    from cadenza_tui.market.state import Market


class Source(Protocol):
    """What the monitor shows: the live feed or a recording."""

    @property
    def market(self) -> Market: ...
    @property
    def pinned(self) -> Sequence[InstrumentId]: ...
    @property
    def ingest(self) -> Ingest: ...
    @property
    def now(self) -> Callable[[], int]:
        """The source's clock in ns: the wall clock, or the recording's."""

    def show(self, instrument_id: InstrumentId) -> None: ...
    def pin(self, ids: Iterable[InstrumentId]) -> None:
        """Replace what is pinned."""

    def want(self, interest: Interest) -> None:
        """Have what the screen shows besides the shown and the pinned instruments."""

    def resync(self, instrument_id: InstrumentId) -> None: ...
    def value_in(self, currency: str) -> None:
        """Have prices at hand that value what is held in ``currency``, "" for each account's own."""

    async def run(self) -> None: ...
    async def close(self) -> None: ...
