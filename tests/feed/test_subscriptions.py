"""What is wanted, as a set of channels."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cadenza_tui.feed.subscriptions import CHANNEL_LIMIT, KEEP_NS, Wants
from cadenza_tui.market.interest import Interest
from cadenza_tui.wire.channels import API_PAGE, ChannelName, Kind, Templates

A, B, C = "X:A/USD", "X:B/USD", "X:C/USD"


def instruments(wants: Wants, now: int) -> list[str | None]:
    """Return the instruments of the planned book channels, in order."""
    return [name.instrument_id for name in wants.plan(now).wanted.values() if name.kind is Kind.BOOK]


def test_what_is_shown_comes_first_then_the_accounts_then_the_pins() -> None:
    """So what the limit leaves out is what matters least."""
    wants = Wants(API_PAGE, pinned=(A, B), accounts=("desk",))
    wants.show(B, 0)
    order = [(name.kind, name.instrument_id) for name in wants.plan(0).wanted.values()]
    kinds = (Kind.BOOK, Kind.TRADE, Kind.TICKER)
    assert order == [*((kind, B) for kind in kinds), (Kind.ACCOUNT, None), *((kind, A) for kind in kinds)]


def test_what_was_left_is_kept_for_a_while() -> None:
    """Then it is let go, unless it is pinned."""
    wants = Wants(API_PAGE, pinned=(A,))
    wants.show(A, 0)
    wants.show(B, 0)
    wants.show(C, 1_000)
    assert instruments(wants, 2_000) == [C, A, B]
    assert wants.next_change() == KEEP_NS
    assert instruments(wants, 1_000 + KEEP_NS) == [C, A]
    assert wants.next_change() is None


def test_the_way_back_cancels_the_leaving() -> None:
    """What is shown again is not let go because it was left before."""
    wants = Wants(API_PAGE)
    wants.show(A, 0)
    wants.show(B, 1)
    wants.show(A, 2)
    assert instruments(wants, 3 * KEEP_NS) == [A]


def test_a_kind_without_a_template_is_not_asked_for() -> None:
    """A server without tickers is not asked for them."""
    templates = Templates(
        book=API_PAGE.book, trade=API_PAGE.trade, ticker="", kline="", account=API_PAGE.account
    )
    wants = Wants(templates, pinned=(A,))
    assert [name.kind for name in wants.plan(0).wanted.values()] == [Kind.BOOK, Kind.TRADE]


def test_without_kinds_only_accounts_are_wanted() -> None:
    """As for the balances alone."""
    wants = Wants(API_PAGE, kinds=(), pinned=(A,), accounts=("desk",))
    assert [name.kind for name in wants.plan(0).wanted.values()] == [Kind.ACCOUNT]


def of_kind(wants: Wants, kind: Kind, now: int = 0) -> list[str | None]:
    """Return what the planned channels of a kind are about, in order."""
    return [
        name.venue if kind is Kind.VENUE_TICKER else name.instrument_id
        for name in wants.plan(now).wanted.values()
        if name.kind is kind
    ]


MANY = tuple(f"X:{number}/USD" for number in range(40))
FEW = tuple(f"Y:{number}/USD" for number in range(12))


def test_without_a_screen_every_pin_has_all_its_channels() -> None:
    """As for a stream to a pipe: nothing is out of sight there."""
    assert of_kind(Wants(API_PAGE, pinned=FEW), Kind.BOOK) == [*FEW]


def test_pins_beyond_the_keys_have_tickers_while_they_are_in_sight() -> None:
    """Nine have a key and a book; of the others the rows in sight have a ticker."""
    wants = Wants(API_PAGE, pinned=FEW)
    wants.want(Interest(visible=FEW[7:11]), 0)
    assert of_kind(wants, Kind.BOOK) == [*FEW[:9]]
    assert of_kind(wants, Kind.TICKER) == [*FEW[:9], *FEW[9:11]]


def test_a_row_that_leaves_sight_is_kept_for_a_while() -> None:
    """So scrolling to and fro asks for nothing twice."""
    wants = Wants(API_PAGE, pinned=FEW)
    wants.want(Interest(visible=FEW[9:11]), 0)
    wants.want(Interest(visible=FEW[11:12]), 5)
    assert of_kind(wants, Kind.TICKER, 6)[9:] == [FEW[11], *FEW[9:11]]
    assert wants.next_change() == 5 + KEEP_NS
    assert of_kind(wants, Kind.TICKER, 5 + KEEP_NS)[9:] == [FEW[11]]


def test_what_is_kept_gives_way_without_a_word() -> None:
    """The limit refuses nothing that is not needed now."""
    wants = Wants(API_PAGE, 28, pinned=FEW)
    wants.want(Interest(visible=FEW[9:11]), 0)
    assert list(wants.plan(0).refused.values()) == [ChannelName(Kind.TICKER, instrument_id=FEW[10])]
    wants.want(Interest(visible=FEW[11:12]), 5)
    assert wants.plan(6).refused == {}
    assert of_kind(wants, Kind.TICKER, 6)[9:] == [FEW[11]]


def test_the_chart_and_the_venues_come_before_the_pins() -> None:
    """They are on the screen; and what was left of them is kept last."""
    wants = Wants(API_PAGE, pinned=(A,), accounts=("desk",))
    wants.show(B, 0)
    wants.want(Interest(venues=(B, C), candles=(B, "1m")), 0)
    planned = [(name.kind, name.instrument_id) for name in wants.plan(0).wanted.values()]
    assert planned[3:6] == [(Kind.ACCOUNT, None), (Kind.KLINE, B), (Kind.BOOK, C)]
    wants.want(Interest(candles=(B, "5m")), 1)
    kept = [(name.kind, name.interval) for name in wants.plan(1).wanted.values()][-2:]
    assert kept == [(Kind.KLINE, "1m"), (Kind.BOOK, None)]
    assert len(wants.plan(1 + KEEP_NS).wanted) == 3 + 1 + 1 + 3


def test_many_of_a_venue_come_through_its_one_channel() -> None:
    """Then their own are not asked for, but that of the shown one; few of a large venue are not worth it."""
    wants = Wants(API_PAGE, pinned=(*FEW[:9], *MANY))
    wants.want(Interest(visible=MANY[:20]), 0)
    assert of_kind(wants, Kind.VENUE_TICKER) == ["X"]
    assert of_kind(wants, Kind.TICKER) == [*FEW[:9]]
    wants.show(MANY[0], 0)
    assert of_kind(wants, Kind.TICKER) == [MANY[0], *FEW[:9]]
    wants.sizes = {"X": 1_000}
    assert of_kind(wants, Kind.VENUE_TICKER) == []
    wants.sizes = {"X": 100}
    wants.without_whole.add("X")
    assert of_kind(wants, Kind.VENUE_TICKER) == []
    assert of_kind(wants, Kind.TICKER)[10:] == [*MANY[1:20]]


@given(
    pinned=st.lists(st.integers(0, 80).map(lambda n: f"X:{n}/USD"), max_size=80),
    accounts=st.lists(st.integers(0, 9).map(str), max_size=9),
    shown=st.lists(st.integers(0, 80).map(lambda n: f"X:{n}/USD"), max_size=10),
    seen=st.lists(st.lists(st.integers(0, 80).map(lambda n: f"X:{n}/USD"), max_size=60), max_size=4),
    limit=st.integers(1, CHANNEL_LIMIT),
)
def test_a_plan_never_passes_the_limit_and_forgets_nothing(
    pinned: list[str], accounts: list[str], shown: list[str], seen: list[list[str]], limit: int
) -> None:
    """Each channel that is needed now is either wanted or refused, and what is shown has its book."""
    wants = Wants(API_PAGE, limit, accounts=tuple(dict.fromkeys(accounts)))
    wants.pin(pinned)
    for now, name in enumerate(shown):
        wants.show(name, now)
    for now, rows in enumerate(seen, len(shown)):
        wants.want(Interest(visible=tuple(rows)), now)
    plan = wants.plan(len(shown) + len(seen))
    assert len(plan.wanted) <= limit
    assert not plan.wanted.keys() & plan.refused.keys()
    full = {*wants.pinned[: 9 if seen else None], *shown[-1:]}
    rows_needed = {*(seen[-1] if seen else ())} - full
    if not any(name.kind is Kind.VENUE_TICKER for name in (*plan.wanted.values(), *plan.refused.values())):
        books = [name.instrument_id for name in plan.wanted.values() if name.kind is Kind.BOOK]
        refused_books = [name.instrument_id for name in plan.refused.values() if name.kind is Kind.BOOK]
        tickers = {name.instrument_id for name in plan.wanted.values() if name.kind is Kind.TICKER}
        tickers |= {name.instrument_id for name in plan.refused.values() if name.kind is Kind.TICKER}
        assert full <= {*books, *refused_books}
        assert rows_needed | full <= tickers
    if shown:
        assert next(iter(plan.wanted.values())).instrument_id == shown[-1]
