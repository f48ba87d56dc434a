"""What is wanted, as a set of channels."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cadenza_tui.feed.subscriptions import CHANNEL_LIMIT, KEEP_NS, Wants
from cadenza_tui.wire.channels import API_PAGE, Kind, Templates

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


@given(
    pinned=st.lists(st.integers(0, 80).map(lambda n: f"X:{n}/USD"), max_size=80),
    accounts=st.lists(st.integers(0, 9).map(str), max_size=9),
    shown=st.lists(st.integers(0, 80).map(lambda n: f"X:{n}/USD"), max_size=10),
    limit=st.integers(1, CHANNEL_LIMIT),
)
def test_a_plan_never_passes_the_limit_and_forgets_nothing(
    pinned: list[str], accounts: list[str], shown: list[str], limit: int
) -> None:
    """Each channel is either wanted or refused, and what is shown has its book."""
    wants = Wants(API_PAGE, limit, accounts=tuple(dict.fromkeys(accounts)))
    wants.pin(pinned)
    for now, name in enumerate(shown):
        wants.show(name, now)
    plan = wants.plan(len(shown))
    assert len(plan.wanted) <= limit
    assert not plan.wanted.keys() & plan.refused.keys()
    assert len(plan.wanted) + len(plan.refused) == 3 * len({*pinned, *shown}) + len({*accounts})
    if shown:
        assert next(iter(plan.wanted.values())).instrument_id == shown[-1]
