"""The change since midnight in UTC, and since the session began: known exactly, or not at all."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import example, given
from hypothesis import strategies as st

from cadenza_tui.market.accounts import Account
from cadenza_tui.market.records import Balance, Portfolio, UpdateMode
from cadenza_tui.market.starts import CLOCKS_APART_NS, SEEN_WITHIN_NS
from cadenza_tui.market.times import DAY, SECOND

MIDNIGHT = 20_000 * DAY
EVENING = MIDNIGHT - 10 * SECOND
AFTER = MIDNIGHT + SECOND


def balances(total: int | None, asset: str = "BTC", time: int | None = None) -> tuple[Balance, ...]:
    return (Balance(asset, asset, total=None if total is None else Decimal(total), updated_at=time),)


def held(*, total: int | None = 5, followed: bool = True) -> Account:
    """Return an account that is held whole ten seconds before midnight."""
    account = Account("desk")
    account.roll_day(EVENING)
    account.apply_portfolio(Portfolio("desk", balances=balances(total)), EVENING)
    account.followed = followed
    return account


def push(account: Account, total: int | None, now: int, asset: str = "BTC", time: int | None = None) -> None:
    account.apply_portfolio(
        Portfolio("desk", UpdateMode.DELTA, balances=balances(total, asset, time), updated_at=time), now
    )


def tick(account: Account, begin: int = EVENING, end: int = AFTER) -> None:
    for now in range(begin, end + 1, SECOND):
        account.roll_day(now)


def test_the_change_counts_from_what_was_held_at_midnight() -> None:
    """Transfers and fills after midnight count, those before it do not."""
    account = held()
    push(account, 7, EVENING + SECOND)
    assert account.day_change("BTC") is None
    tick(account, EVENING + SECOND)
    assert account.day_change("BTC") == 0
    push(account, 10, AFTER + SECOND)
    assert account.day_change("BTC") == 3


def test_a_push_that_is_the_first_thing_after_midnight_counts_from_before_it() -> None:
    """The day begins before the first push of it is applied, though no second has struck."""
    account = held()
    tick(account, end=MIDNIGHT - SECOND)
    push(account, 9, MIDNIGHT + 1)
    assert account.day_change("BTC") == 4


def test_it_is_unknown_on_the_day_the_program_starts() -> None:
    """What was held at a midnight that nobody saw is not known."""
    account = Account("desk")
    account.apply_portfolio(Portfolio("desk", balances=balances(5)), AFTER)
    account.followed = True
    tick(account, AFTER, AFTER + 5 * SECOND)
    assert account.day_change("BTC") is None


def test_it_is_unknown_where_the_link_was_down_across_midnight() -> None:
    """Until the next midnight, whatever comes of the link."""
    account = held()
    account.lose(EVENING + SECOND)
    tick(account)
    account.followed = True
    push(account, 6, AFTER)
    assert account.day_change("BTC") is None
    tick(account, MIDNIGHT + DAY - 3 * SECOND, MIDNIGHT + DAY)
    push(account, 8, MIDNIGHT + DAY + SECOND)
    assert account.day_change("BTC") == 2


def test_a_loss_that_is_found_after_midnight_may_have_been_before_it() -> None:
    """A link that was dead since before midnight makes the day unknown, one that died later does not."""
    account = held()
    tick(account)
    account.lose(AFTER)
    assert account.day_change("BTC") == 0
    account.followed = True
    account.lose(MIDNIGHT - 1)
    assert account.day_change("BTC") is None


def test_what_was_compared_after_midnight_is_not_lost() -> None:
    """Messages that lack since the last one, of yesterday, cannot be older than the last comparison."""
    account = held()
    tick(account)
    account.agreed_at = AFTER
    account.lose(EVENING)
    assert account.day_change("BTC") == 0


def test_an_asset_that_appears_began_with_nothing() -> None:
    """Where the account was held whole at midnight; the session's change likewise."""
    account = held()
    push(account, 2, EVENING + SECOND, "ETH")
    assert account.session_change("ETH") == 2
    tick(account, EVENING + SECOND)
    push(account, 3, AFTER + SECOND, "SOL")
    assert account.day_change("SOL") == 3
    assert account.session_change("SOL") == 3
    assert account.day_change("ETH") == 0
    assert account.day_change("XRP") is None


def test_an_asset_of_an_account_that_is_not_known_whole_begins_where_it_is_first_seen() -> None:
    """A change that comes before the first whole portfolio says nothing of what was there before."""
    account = Account("desk")
    push(account, 4, EVENING)
    assert account.session_change("BTC") == 0


def test_a_total_that_was_not_told_at_midnight_stays_unknown() -> None:
    """Unknown is not nothing."""
    account = held(total=None)
    tick(account)
    push(account, 5, AFTER + SECOND)
    assert account.day_change("BTC") is None


def test_a_change_counts_on_the_side_of_midnight_that_its_own_time_is_on() -> None:
    """Pushes that were on their way across midnight, and a venue whose clock is a little ahead."""
    account = held()
    push(account, 6, MIDNIGHT - 2 * SECOND, time=MIDNIGHT + SECOND)
    tick(account)
    assert account.day_change("BTC") == 1
    account = held()
    tick(account)
    push(account, 6, AFTER + SECOND, time=MIDNIGHT - 1_000_000)
    assert account.day_change("BTC") == 0
    push(account, 7, AFTER + CLOCKS_APART_NS + SECOND, time=MIDNIGHT - 1_000_000)
    assert account.day_change("BTC") == 1


def test_a_difference_makes_the_day_of_its_balance_unknown() -> None:
    """Where it may be from before midnight; the other balances keep theirs."""
    account = held()
    push(account, 1, EVENING + 1, "ETH")
    tick(account)
    account.starts.doubt("BTC", EVENING)
    account.starts.doubt("ETH", AFTER)
    assert account.day_change("BTC") is None
    assert account.day_change("ETH") == 0


Moment = tuple[str, int]

MOMENTS = st.lists(
    st.tuples(
        st.sampled_from(["tick", "tick", "tick", "push", "lose", "follow", "set the clock"]),
        st.integers(-3 * SECOND, 8 * SECOND),
    ),
    max_size=40,
)


@given(st.integers(-20 * SECOND, 5 * SECOND), MOMENTS)
@example(-SECOND, [("set the clock", 8 * SECOND)])
@example(-SECOND, [("tick", SECOND), ("set the clock", -2 * SECOND), ("tick", 0), ("tick", SECOND)])
def test_the_day_agrees_with_a_diary(begin: int, moments: list[Moment]) -> None:
    """A diary of the clock and of the totals gives the same, with clocks set back and forth."""
    now = MIDNIGHT + begin
    account = Account("desk")
    account.apply_portfolio(Portfolio("desk", balances=balances(0)), now)
    account.followed = True
    diary = [(now, 0, True)]
    """After each moment: the clock, the total and whether the account was followed."""
    for number, (what, later) in enumerate(moments, 1):
        now += later if what == "set the clock" else abs(later)
        _, total, followed = diary[-1]
        if what == "push":
            total = number
            push(account, total, now)
        else:
            account.roll_day(now)
        diary.append((now, diary[-1][1], followed))
        if what == "lose":
            account.lose(now)
            followed = False
        elif what == "follow":
            account.followed = followed = True
        diary.append((now, total, followed))
        days = [at // DAY for at, _, _ in diary]
        first = next(
            index for index in reversed(range(len(days))) if index == 0 or days[index - 1] != days[index]
        )
        known = (
            first > 0
            and days[first - 1] + 1 == days[first]
            and diary[first][0] - diary[first - 1][0] <= SEEN_WITHIN_NS
            and diary[first - 1][2]
        )
        change = account.day_change("BTC")
        assert change == (Decimal(total - diary[first - 1][1]) if known else None)
