"""Whatever happens on the way, the account comes to hold exactly what the venue's own ledger does."""

from __future__ import annotations

import copy
import json
from collections import deque
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cadenza_tui.feed.ingest import Ingest
from cadenza_tui.market.state import Market
from cadenza_tui.wire import rpc
from cadenza_tui.wire.channels import ChannelName, Kind
from tests.feed.ledger import ACCOUNT, BEGIN, CHANNEL, QUOTE, SHAPES, TIMES, Ledger, enveloped, text

if TYPE_CHECKING:
    from cadenza_tui.market.reconcile import Question

ASSETS = (QUOTE, "BTC", "DUST")
STEPS_NS = (0, 100_000, 300_000, 2_500_000_000)


class Way:
    """A ledger, its stream, and the account at the other end, with the feed's part played by hand.

    ``sent`` waits in order on the way. A question is answered by a copy of the ledger taken when the server
    got to it, and the answer may overtake what was published before.
    """

    def __init__(self, shape: str, times: str, answers: str) -> None:
        self.ledger = Ledger(shape, times)
        self.answers = answers
        self.clock = BEGIN
        self.market = Market()
        self.ingest = Ingest(self.market, lambda: self.clock)
        self.route = self.ingest.register(CHANNEL, ChannelName(Kind.ACCOUNT, account_id=ACCOUNT))
        self.account = self.market.account(ACCOUNT)
        self.offset = self.seen = 0
        self.sent: deque[tuple[int, bytes]] = deque()
        self.history: list[Ledger] = []
        self.question: tuple[Question, Question] | None = None
        self.answer: tuple[bytes, bytes] | None = None
        self.owed = True
        """What was missed has not been fetched yet."""
        self.unsure = False
        """Something was lost, or told wrongly, that nobody can have noticed."""
        self.compares = False
        """Whether the answer will have all of that, being asked for and given later."""

    # --- the venue

    def happen(self, event: int, number: int, amount: int, envelope: int, *, withheld: bool = False) -> None:
        ledger, asset = self.ledger, ASSETS[number % len(ASSETS)]
        base = ("BTC", "ETH")[number % 2]
        events = (
            lambda: ledger.transfer(asset, amount * 10**8),
            lambda: ledger.transfer(QUOTE, amount),
            lambda: ledger.transfer(asset, -amount * 10**7),
            lambda: ledger.withdraw_all(asset),
            lambda: ledger.freeze(asset, amount * 10**6),
            lambda: ledger.borrow(asset, amount),
            lambda: ledger.place(base, amount * 10**4),
            lambda: ledger.fill(number, amount * 10**3),
            lambda: ledger.fill(number, 10**12),
            lambda: ledger.cancel(number),
            lambda: ledger.trade_contracts(base, amount % 5 - 2),
            lambda: ledger.trade_contracts(base, -ledger.contracts.get(base, 0)),
            ledger.whole,
            ledger.whole,
        )
        self.history.append(copy.deepcopy(ledger))
        bodies = events[event % len(events)]()
        if withheld:
            self.unsure |= bool(bodies)
            self.compares = False
            return
        for body in bodies:
            self.publish(enveloped(body, envelope))

    def publish(self, payload: bytes) -> None:
        self.offset += 1
        self.sent.append((self.offset, payload))

    # --- the way

    def deliver(self, count: int, *, twice: bool = False) -> None:
        for _ in range(min(count, len(self.sent))):
            offset, payload = self.sent.popleft()
            if offset != self.seen + 1:
                self.miss()
            self.seen = offset
            for _ in range(1 + twice):
                self.ingest.publication(CHANNEL, payload, 0, "", self.clock)

    def lose(self, count: int) -> None:
        for _ in range(min(count, len(self.sent))):
            self.sent.popleft()

    def reconnect(self, *, recovered: bool) -> None:
        """Lose the link: what was on the way comes again, or is lost, which the server says."""
        self.question = self.answer = None
        self.market.follow(ACCOUNT, followed=False, since=self.clock)
        if recovered and not self.owed:
            self.market.follow(ACCOUNT, followed=True, since=self.clock)
            return
        self.sent.clear()
        self.seen = self.offset
        self.miss()

    def miss(self) -> None:
        """Begin to fetch all anew; an answer that is under way may be older than what was missed."""
        self.owed = True
        self.market.follow(ACCOUNT, followed=False, since=self.clock)
        self.question = self.answer = None
        self.ask()

    def ask(self) -> None:
        if self.question is None:
            questions = (self.market.ask(ACCOUNT, self.clock), self.market.ask(ACCOUNT, self.clock))
            self.question, self.answer, self.compares = questions, None, True

    def serve(self, stale: int) -> None:
        """Let the server answer, from a replica that lacks so many of the latest events."""
        if self.question is None or self.answer is not None:
            return
        ledger = copy.deepcopy(self.history[-stale] if stale and len(self.history) >= stale else self.ledger)
        if stale and (self.owed or self.ledger.times != "both" or self.ledger.seems(ledger)):
            self.unsure = True  # nobody can tell such an answer from a true one
        self.compares &= not stale
        ledger.shape = self.answers
        portfolio, orders = json.dumps({"data": ledger.snapshot()}), json.dumps({"data": ledger.listed()})
        self.answer = portfolio.encode(), orders.encode()

    def take(self) -> None:
        if self.question is None or self.answer is None:
            return
        (of_portfolio, of_orders), (portfolio, orders) = self.question, self.answer
        self.question = self.answer = None
        found = rpc.decode_portfolio(msgspec.Raw(portfolio), ACCOUNT)
        self.market.answer_portfolio(found, of_portfolio, self.clock)
        self.market.answer_orders(ACCOUNT, rpc.decode_orders(msgspec.Raw(orders)), of_orders, self.clock)
        if self.owed:
            self.owed = False
            self.market.follow(ACCOUNT, followed=True, since=self.clock)
        self.unsure &= not self.compares or self.account.doubtful

    def settle(self) -> None:
        """Let all arrive that is on the way."""
        self.deliver(len(self.sent))
        self.serve(0)
        self.take()

    # --- what is shown

    @property
    def quiet(self) -> bool:
        return not self.sent and self.question is None and self.seen == self.offset

    def check(self) -> None:
        self.account.check()
        if self.quiet and self.account.current and not self.unsure and not self.account.doubtful:
            self.same()

    def same(self) -> None:
        """Hold what the account shows against the ledger, to the last digit."""
        ledger, account = self.ledger, self.account
        assert {
            balance.asset: {
                name: f"{getattr(balance, name):f}" for name in ledger.held[balance.asset].amounts
            }
            for balance in account.balances.values()
            if balance.total or balance.borrowed
        } == {
            asset: {name: text(amount) for name, amount in held.amounts.items()}
            for asset, held in ledger.held.items()
            if not held.nothing
        }
        for balance in account.balances.values():
            assert balance.frozen in {None, Decimal(text(ledger.held[balance.asset].frozen))}
        assert {
            position.position_id: f"{position.position_side} {position.quantity}"
            for position in account.positions.values()
            if position.status == "OPEN"
        } == {
            f"p-{base}": f"{'SHORT' if contracts < 0 else 'LONG'} {abs(contracts)}"
            for base, contracts in ledger.contracts.items()
        }
        assert {
            order.order_id: (order.status, f"{order.executed_quantity:f}")
            for order in account.orders.values()
        } == {placed.name: (placed.status, text(placed.filled)) for placed in ledger.orders.values()}
        assert {fill.execution.execution_id: f"{fill.execution.quantity:f}" for fill in account.fills} == {
            name: text(quantity) for placed in ledger.orders.values() for name, quantity, _ in placed.fills
        }

    def end(self) -> None:
        """Let all arrive, and ask once more."""
        self.settle()
        if self.seen != self.offset:
            self.reconnect(recovered=False)  # the server sees within seconds that we are behind
        self.settle()
        for _ in range(4):
            self.clock += 10**10
            self.market.roll_day(self.clock)
            self.ask()
            self.settle()
            if not self.account.doubtful:
                break
        assert not self.account.doubtful
        assert not self.unsure
        self.market.roll_day(self.clock + 10**11)
        assert self.account.current
        self.same()


def step(way: Way, action: str, number: int, amount: int, extra: int) -> None:
    """Let one thing happen."""
    way.clock += 1_000_000
    if action in {"happen", "withheld"}:
        way.ledger.now += STEPS_NS[extra % len(STEPS_NS)]
    match action:
        case "happen":
            way.happen(number, extra, amount, extra % 3)
        case "withheld":
            way.happen(number, extra, amount, 0, withheld=True)
        case "deliver":
            way.deliver(1 + extra % 4)
        case "twice":
            way.deliver(1, twice=True)
        case "settle":
            way.settle()
        case "compare":
            way.ask()
            way.serve(0)
            way.take()
        case "ask":
            way.ask()
        case "serve":
            way.serve(0)
        case "stale":
            way.serve(1 + extra % 3)
        case "take":
            way.take()
        case "lose":
            way.lose(1 + extra % 2)
        case _:
            way.reconnect(recovered=bool(extra % 2))


def opened(shape: str, times: str, answers: str) -> Way:
    """Return an account that holds a little of everything and is being fetched for the first time."""
    way = Way(shape, times, answers)
    ledger = way.ledger
    ledger.transfer(QUOTE, 10**14)
    ledger.transfer("BTC", 10**8)
    ledger.transfer("DUST", 10)
    ledger.place("BTC", 10**6)
    ledger.trade_contracts("BTC", 3)
    way.ask()
    return way


ACTIONS = [
    *("happen",) * 6,
    *("deliver",) * 3,
    *("settle", "compare", "ask", "serve", "take") * 2,
    *("withheld", "twice", "stale", "lose", "reconnect"),
]


def histories(actions: list[str]) -> st.SearchStrategy[list[tuple[str, int, int, int]]]:
    """Return lists of steps."""
    return st.lists(
        st.tuples(st.sampled_from(actions), st.integers(0, 14), st.integers(1, 200_000), st.integers(0, 23)),
        min_size=25,
        max_size=60,
    )


@settings(max_examples=1_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(SHAPES),
    st.sampled_from([*TIMES, "both"]),
    st.sampled_from(SHAPES),
    histories(ACTIONS),
)
def test_every_history_ends_with_the_ledgers_own_figures(
    shape: str, times: str, answers: str, steps: list[tuple[str, int, int, int]]
) -> None:
    """Balances, positions, orders and fills are the venue's whenever all is quiet and said to be current."""
    way = opened(shape, times, answers)
    for each in steps:
        step(way, *each)
        way.check()
    way.end()


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(SHAPES),
    st.sampled_from(TIMES),
    st.sampled_from(SHAPES),
    histories([action for action in ACTIONS if action not in {"withheld", "stale", "lose"}]),
)
def test_where_nothing_is_lost_unseen_no_difference_is_found(
    shape: str, times: str, answers: str, steps: list[tuple[str, int, int, int]]
) -> None:
    """A push that is slower than the answer, or came since the question, is not taken for one."""
    way = opened(shape, times, answers)
    for each in steps:
        step(way, *each)
    way.end()
    assert way.account.difference_count == 0
