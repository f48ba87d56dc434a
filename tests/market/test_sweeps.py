"""Sweeps and filters against a plain list of prints."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from cadenza_tui.market.records import Print, Side
from cadenza_tui.market.sweeps import MAXIMUM_HELD, SWEEP_NS, Entries, Entry, Rule
from cadenza_tui.market.tape import Tape

Made = tuple[int, int, Side | None, int]

made_prints = st.tuples(
    st.integers(1, 5),
    st.integers(1, 5),
    st.sampled_from([Side.BUY, Side.SELL, None]),
    st.sampled_from([0, 1, SWEEP_NS, SWEEP_NS + 1, -1]),
)
batches = st.lists(st.lists(st.one_of(made_prints, st.just("hole")), max_size=6), max_size=12)
rules = st.builds(Rule, st.booleans(), st.sampled_from([None, Decimal(3), Decimal(8)]), st.booleans())


def naive(prints: list[tuple[Print, bool]], rule: Rule) -> list[list[Print]]:
    """Return the groups that a rule makes of prints, newest first; with each is whether it follows a hole."""
    groups: list[list[Print]] = []
    for one, broken in prints:
        last = groups[-1] if groups else None
        if (
            last
            and rule.aggregate
            and not broken
            and one.aggressor is last[0].aggressor is not None
            and 0 <= one.timestamp - last[0].timestamp <= SWEEP_NS
        ):
            last.append(one)
        else:
            groups.append([one])
    sizes = [sum(p.quantity * (p.price if rule.quote else 1) for p in group) for group in groups]
    shown = [g for g, size in zip(groups, sizes, strict=True) if rule.least is None or size >= rule.least]
    return shown[::-1]


@given(batches, rules)
def test_entries_are_the_sweeps_of_the_whole_list(made: list[list[Made | str]], rule: Rule) -> None:
    """However the prints come in, what is shown is what the whole list gives, newest first."""
    tape, entries = Tape(), Entries()
    prints: list[tuple[Print, bool]] = []
    at, broken = 1_000, False
    for batch in made:
        for one in batch:
            if isinstance(one, str):
                tape.lose(1)
                broken = True
                continue
            price, quantity, side, by = one
            at += by
            fresh = Print("BINANCE:BTC/USDT", Decimal(price), Decimal(quantity), side, at)
            tape.add(fresh)
            prints.append((fresh, broken))
            broken = False
        entries.follow(tape, rule)
        expected = naive(prints, rule)
        shown = entries.shown(None, 999)
        assert [(e.prints, e.quantity, e.notional) for e in shown] == [
            (len(g), sum(p.quantity for p in g), sum(p.quantity * p.price for p in g)) for g in expected
        ]
        assert [(e.low, e.high) for e in shown] == [
            (min(p.price for p in g), max(p.price for p in g)) for g in expected
        ]
        assert [e.place for e in shown] == list(
            range(entries.latest_place, entries.latest_place - len(shown), -1)
        )


def add(tape: Tape, n: int, quantity: int = 1) -> None:
    """Add prints, each at its own time."""
    for _ in range(n):
        at = (tape.count + 1) * SWEEP_NS * 2
        tape.add(Print("BINANCE:BTC/USDT", Decimal(1), Decimal(quantity), Side.BUY, at))


def test_a_filter_goes_further_back_than_the_tape() -> None:
    """What passed the filter stays when the tape has long dropped it."""
    tape, entries, rule = Tape(10), Entries(), Rule(least=Decimal(5))
    add(tape, 1, quantity=9)
    entries.follow(tape, rule)
    for _ in range(5):
        add(tape, 8)
        entries.follow(tape, rule)
    assert [entry.quantity for entry in entries.shown(None, 9)] == [9]
    assert entries.since == 2 * SWEEP_NS


def test_prints_that_fell_from_the_tape_unseen_begin_it_anew() -> None:
    """Nothing is shown as if it followed what it does not follow."""
    tape, entries = Tape(10), Entries()
    add(tape, 3)
    assert entries.follow(tape)
    add(tape, 3)
    assert not entries.follow(tape)
    add(tape, 11)
    assert entries.follow(tape)
    assert len(entries) == 10
    assert entries.since == 8 * 2 * SWEEP_NS


def test_another_tape_is_no_continuation() -> None:
    """One that was begun anew while nobody looked has nothing of the one before it."""
    entries, first, second = Entries(), Tape(), Tape()
    add(first, 2)
    entries.follow(first)
    add(second, 5, quantity=7)
    assert entries.follow(second)
    assert [entry.quantity for entry in entries.shown(None, 9)] == [7] * 5
    entries.follow(Tape())
    assert entries.since is None, "there is nothing from any time on"


def test_what_is_read_is_kept_for_longer() -> None:
    """While somebody reads back there are many more entries than the tape has prints, but not any number."""
    tape, entries = Tape(100), Entries()
    entries.held = True
    for _ in range(MAXIMUM_HELD // 100 + 3):
        add(tape, 100)
        entries.follow(tape)
    assert len(entries) == MAXIMUM_HELD
    entries.held = False
    add(tape, 1)
    entries.follow(tape)
    assert len(entries) == 100


def test_a_sweep_goes_from_the_best_price_to_the_worst() -> None:
    """For a buyer upwards, for a seller downwards, in whatever order its prints came."""
    for side, near, far in ((Side.BUY, 1, 3), (Side.SELL, 3, 1)):
        prints = [Print("BINANCE:BTC/USDT", Decimal(price), Decimal(1), side, 1) for price in (2, 3, 1)]
        entry = Entry(prints[0], 1)
        entry.join(prints[1], 2)
        entry.join(prints[2], 3)
        assert (entry.near, entry.far) == (Decimal(near), Decimal(far))


def test_an_entry_takes_no_print_of_the_other_side() -> None:
    """Nor one without a side, nor one from before."""
    first = Print("BINANCE:BTC/USDT", Decimal(1), Decimal(1), Side.BUY, 1_000)
    entry = Entry(first, 1)
    other = Print("BINANCE:BTC/USDT", Decimal(1), Decimal(1), Side.SELL, 1_000)
    assert entry.takes(first)
    assert not entry.takes(other)
    assert not Entry(Print("x", Decimal(1), Decimal(1), None, 1), 1).takes(first)
