"""The tape."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from cadenza_tui.market.records import Print, Side
from cadenza_tui.market.tape import Tape
from cadenza_tui.market.trust import TrustState
from cadenza_tui.view.rows import Bars, Pane, Role
from cadenza_tui.view.tape import TapeWidths, tape
from tests.view.support import BTC, LIVE, NOW, SECOND, bad_widths, plain, print_, screen, text, trust


def filled(*prints: Print, maximum: int = 2000) -> Tape:
    """Return a tape that took these prints in this order."""
    made = Tape(maximum)
    for one in prints:
        made.add(one)
    return made


def shown(
    held: Tape, *, width: int = 36, height: int = 12, widths: TapeWidths | None = None, **options: object
) -> Pane:
    """Return the pane of a tape."""
    arguments: dict[str, object] = {"trust": LIVE, "widths": widths or TapeWidths(), **options}
    return tape(held, BTC, width=width, height=height, **arguments)  # type: ignore[arg-type]


FEW = [
    print_("61837.63", "0.5", Side.SELL, NOW + 101_000_000),
    print_("61837.64", "1.25", Side.BUY, NOW + SECOND),
    print_("61837.65", "0.001", None, NOW + 2 * SECOND),
]

prints = st.builds(
    print_,
    st.integers(1, 10**9).map(lambda n: f"{n / 100:.2f}"),
    st.integers(1, 10**12).map(lambda n: f"{n / 10**5:.5f}"),
    st.sampled_from([Side.BUY, Side.SELL, None]),
    st.integers(NOW, NOW + 10**12),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(prints, max_size=40), st.integers(30, 300), st.integers(1, 50), st.sampled_from(Bars))
def test_every_row_is_exactly_as_wide_as_the_pane(
    made: list[Print], width: int, height: int, bars: Bars
) -> None:
    """Whatever was traded and whatever the size, each row fits."""
    pane = shown(filled(*made), width=width, height=height, bars=bars)
    assert bad_widths(pane.body, width) == []
    assert len(pane.body) <= height


def test_newest_first_with_time_glyph_price_and_size() -> None:
    """Each row is time, aggressor, price, quantity; an unknown aggressor is a dot."""
    rows = plain(shown(filled(*FEW)))
    assert rows[0].split() == ["time", "price", "qty"]
    assert rows[1].split()[:4] == ["23:54:16.000", "·", "61,837.65", "0.00100"]
    assert rows[2].split()[:4] == ["23:54:15.000", "▲", "61,837.64", "1.25000"]
    assert rows[3].split()[:4] == ["23:54:14.101", "▼", "61,837.63", "0.50000"]


def test_the_aggressor_has_its_role() -> None:
    """Glyph and price are in the colour of the aggressor's side."""
    body = shown(filled(*FEW)).body
    assert [row[1].role for row in body[1:4]] == [Role.TEXT, Role.BID, Role.ASK]


def test_a_large_print_is_strong() -> None:
    """A print of many times its neighbours stands out."""
    small = [print_("1.00", "0.01", Side.BUY, NOW + n) for n in range(20)]
    body = shown(filled(*small, print_("1.00", "5", Side.BUY, NOW + 99))).body
    assert body[1][1].role is Role.BID_STRONG
    assert body[2][1].role is Role.BID


def test_the_summary_is_exact_over_the_kept_prints() -> None:
    """CVD and VWAP are of the prints that are kept, those that fell out left out again."""
    kept = filled(print_("1000", "100", Side.BUY), *FEW, maximum=3)
    widths = TapeWidths()
    shown(kept, widths=widths)
    sums = widths.sums(kept)
    assert sums.cvd == Decimal("0.75")
    assert sums.volume == Decimal("1.751")
    assert sums.notional == sum(p.price * p.quantity for p in FEW)
    assert "CVD +0.75" in plain(shown(kept, widths=widths))[-1]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(prints, max_size=8), max_size=12), st.integers(1, 20))
def test_sums_kept_up_print_by_print_are_those_of_the_whole(batches: list[list[Print]], maximum: int) -> None:
    """However the prints come, the sums equal those taken afresh over what is kept."""
    held, widths = Tape(maximum), TapeWidths()
    for batch in batches:
        for one in batch:
            held.add(one)
        sums = widths.sums(held)
        assert sums.volume == sum(p.quantity for p in held.prints)
        assert sums.notional == sum(p.price * p.quantity for p in held.prints)


def test_paused_keeps_the_prints_and_counts_the_new_ones() -> None:
    """A paused tape shows what it did, and says how many prints have come since."""
    held, widths = filled(*FEW), TapeWidths()
    before = plain(shown(held, widths=widths))[1:4]
    paused_at = held.count
    held.add(print_("70000.00", "1", Side.BUY, NOW + 9 * SECOND))
    pane = shown(held, widths=widths, paused_at=paused_at)
    assert plain(pane)[1:4] == before
    assert text(pane.trust) == "‖ paused +1"
    assert "70,000.00" in screen(shown(held, widths=widths))


def test_scrolling_leaves_the_newest_out() -> None:
    """A scrolled tape says how many newer prints there are."""
    pane = shown(filled(*FEW), scroll=2)
    assert "61,837.63" in plain(pane)[1]
    assert text(pane.trust) == "+2 newer"


def test_an_empty_tape_says_why() -> None:
    """Without prints there is the state, not an empty pane."""
    assert "no prints yet" in screen(shown(Tape()))
    assert "Connecting" in screen(shown(Tape(), trust=trust(TrustState.CONNECTING)))


def test_narrow_drops_milliseconds_then_the_time_never_the_price() -> None:
    """Price and side glyph stay at every width."""
    made = filled(*FEW)
    assert "23:54:15.000" in screen(shown(made, width=36))
    assert "23:54:15.000" not in screen(shown(made, width=30))
    assert "23:54:15" in screen(shown(made, width=30))
    assert "▲ 61,837.64" in screen(shown(made, width=16))


def test_a_stale_tape_is_dimmed_and_says_so() -> None:
    """The border names the state, and the pane is dimmed."""
    pane = shown(filled(*FEW), trust=trust(TrustState.STALE, "", 14))
    assert text(pane.trust) == "◔ stale 14 s"
    assert pane.dimmed


def test_missing_messages_stand_where_they_are_missing() -> None:
    """A line between the prints says how many, the border too, and the sums are only about right."""
    held = filled(*FEW[:2])
    held.lose(3)
    held.add(FEW[2])
    pane = shown(held)
    rows = plain(pane)
    assert "61,837.65" in rows[1]
    assert "3 messages missing" in rows[2]
    assert "61,837.64" in rows[3]
    assert text(pane.trust) == "⚠ 3 messages missing"
    assert "CVD ≈ +0.75" in rows[-1]
    assert bad_widths(pane.body, 36) == []


def test_where_nobody_knows_how_many_messages_are_missing_no_number_is_given() -> None:
    """As after a reconnect that recovered nothing; at the top until the next print."""
    held = filled(*FEW)
    held.lose()
    pane = shown(held, width=20, height=6)
    assert "messages missing" in plain(pane)[1]
    assert not any(character.isdigit() for character in plain(pane)[1])
    assert bad_widths(pane.body, 20) == []


def test_a_hole_goes_with_the_prints_before_it() -> None:
    """Once only prints after it are kept the sums are complete again."""
    held = filled(*FEW, maximum=3)
    held.lose(1)
    assert text(shown(held).trust) == "⚠ 1 message missing"
    for one in FEW:
        held.add(one)
    assert text(shown(held).trust) == "all prints"
    assert "≈" not in screen(shown(held))
