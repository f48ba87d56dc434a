"""The tape."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from cadenza_tui.market.records import Print, Side
from cadenza_tui.market.tape import Tape
from cadenza_tui.market.trust import TrustState
from cadenza_tui.view.rows import Bars, Ground, Pane, Role
from cadenza_tui.view.tape import CHOICES, tape
from cadenza_tui.view.tape_memory import TapeMemory
from tests.view.support import BTC, LIVE, NOW, SECOND, bad_widths, plain, print_, screen, text, trust

if TYPE_CHECKING:
    from cadenza_tui.view.choices import Options


def filled(*prints: Print, maximum: int = 2000) -> Tape:
    """Return a tape that took these prints in this order."""
    made = Tape(maximum)
    for one in prints:
        made.add(one)
    return made


def shown(
    held: Tape,
    *,
    width: int = 36,
    height: int = 12,
    memory: TapeMemory | None = None,
    options: Options | None = None,
    **arguments: object,
) -> Pane:
    """Return the pane of a tape, three seconds after its beginning."""
    given_arguments: dict[str, object] = {"trust": LIVE, "now": NOW + 3 * SECOND, **arguments}
    return tape(
        held,
        BTC,
        width=width,
        height=height,
        memory=memory or TapeMemory(),
        options=options or {},
        **given_arguments,  # type: ignore[arg-type]
    )


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


choices = st.fixed_dictionaries({choice.name: st.sampled_from(choice.values) for choice in CHOICES})


@settings(max_examples=60, deadline=None)
@given(
    st.lists(prints, max_size=40),
    st.integers(20, 300),
    st.integers(1, 50),
    st.sampled_from(Bars),
    choices,
    st.booleans(),
)
def test_every_row_is_exactly_as_wide_as_the_pane(
    made: list[Print], width: int, height: int, bars: Bars, options: dict[str, str], filtered: bool
) -> None:
    """Whatever was traded, chosen and whatever the size, each row fits."""
    memory = TapeMemory(least={"base": Decimal(5)} if filtered else {})
    pane = shown(filled(*made), width=width, height=height, bars=bars, options=options, memory=memory)
    assert bad_widths(pane.body, width) == []
    assert len(pane.body) <= height


def test_newest_first_with_time_glyph_price_and_size() -> None:
    """Each row is time, aggressor, price, quantity; an unknown aggressor is a dot."""
    rows = plain(shown(filled(*FEW)))
    assert rows[0].split() == ["time", "price", "size"]
    assert rows[1].split()[:4] == ["23:54:16.000", "·", "61,837.65", "0.00100"]
    assert rows[2].split()[:4] == ["23:54:15.000", "▲", "61,837.64", "1.25000"]
    assert rows[3].split()[:4] == ["23:54:14.101", "▼", "61,837.63", "0.50000"]


def test_the_aggressor_has_its_role() -> None:
    """Glyph and price are in the colour of the aggressor's side."""
    body = shown(filled(*FEW)).body
    assert [row[1].role for row in body[1:4]] == [Role.TEXT, Role.BID, Role.ASK]


def test_a_large_print_is_strong() -> None:
    """A print of many times its neighbours stands out by a mark, a huge one by more; unless that is off."""
    small = [print_("1.00", "0.01", Side.BUY, NOW + n) for n in range(20)]
    made = filled(*small, print_("1.00", "0.05", Side.BUY, NOW + 98), print_("1.00", "5", Side.BUY, NOW + 99))
    pane = shown(made)
    assert [row[0] for row in plain(pane)[1:4]] == ["●", "•", " "]
    assert [row[2].role for row in pane.body[1:3]] == [Role.BID_STRONG, Role.BID_STRONG]
    assert pane.body[3][1].role is Role.BID
    assert pane.body[1][2].ground is Ground.BID_BAR
    off = shown(made, options={"tiers": "off"})
    assert {row[0] for row in plain(off)[1:4]} == {" "}


def test_paused_keeps_the_prints_and_counts_the_new_ones() -> None:
    """A paused tape shows what it did, and says how many prints have come since; nothing of them is lost."""
    held, memory = filled(*FEW), TapeMemory()
    before = plain(shown(held, memory=memory))[1:4]
    assert memory.pause()
    held.add(print_("70000.00", "1", Side.BUY, NOW + 9 * SECOND))
    pane = shown(held, memory=memory)
    assert plain(pane)[1:4] == before
    assert text(pane.trust) == "‖ paused +1"
    assert not memory.pause()
    assert plain(shown(held, memory=memory))[2:5] == before
    assert "70,000.00" in plain(shown(held, memory=memory))[1]


def many(n: int, first: int = 0) -> list[Print]:
    """Return prints whose price is their number."""
    return [print_(f"{number}.00", "1", Side.BUY, NOW + number) for number in range(first, first + n)]


def prices(pane: Pane) -> list[str]:
    """Return the prices in sight."""
    return [row.split()[2].partition(".")[0] for row in plain(pane)[1:] if "▲ " in row and ":" in row]


def test_scrolling_stays_where_it_is_and_resumes_without_loss() -> None:
    """While older prints are read those in sight stay, the border counts; back at the newest it follows."""
    held, memory = filled(*many(40)), TapeMemory()
    shown(held, memory=memory)
    memory.move(3)
    assert prices(shown(held, memory=memory))[0] == "36"
    for one in many(2, first=40):
        held.add(one)
    pane = shown(held, memory=memory)
    assert prices(pane)[0] == "36"
    assert text(pane.trust) == "‖ +5"
    memory.move(-4)
    assert prices(shown(held, memory=memory))[0] == "40"
    memory.move(-9)
    pane = shown(held, memory=memory)
    assert prices(pane)[:3] == ["41", "40", "39"]
    assert "back" in text(pane.trust)
    memory.page(99)
    assert prices(shown(held, memory=memory))[-1] == "0"
    assert memory.release()
    assert not memory.release()
    assert prices(shown(held, memory=memory))[0] == "41"


def test_what_is_read_does_not_fall_away_with_the_tape() -> None:
    """The tape keeps ten prints; a paused view of it keeps what was in sight through a hundred more."""
    held, memory = filled(*many(10), maximum=10), TapeMemory()
    before = prices(shown(held, memory=memory))
    memory.pause()
    for first in range(10, 110, 5):
        for one in many(5, first=first):
            held.add(one)
        pane = shown(held, memory=memory)
    assert prices(pane) == before
    assert text(pane.trust) == "‖ paused +100"


def test_an_empty_tape_says_why() -> None:
    """Without prints there is the state, not an empty pane."""
    assert "no prints yet" in screen(shown(Tape()))
    assert "Connecting" in screen(shown(Tape(), trust=trust(TrustState.CONNECTING)))


def test_narrow_drops_the_hour_then_the_bar_then_the_time_never_the_price() -> None:
    """Price and side glyph stay at every width."""
    made = filled(*FEW)
    assert "23:54:15.000" in screen(shown(made, width=36))
    assert "23:54:15.000" not in screen(shown(made, width=32))
    assert " 54:15.000 ▲ 61,837.64 1.25000 █" in screen(shown(made, width=32))
    assert " 54:15.000 ▲ 61,837.64 1.25000" in screen(shown(made, width=30))
    assert "▲ 61,837.64" in screen(shown(made, width=16))


def test_a_narrow_bar_is_quieter_than_the_numbers() -> None:
    """Where bars can be tints, one of blocks has no colour of a side."""
    body = shown(filled(*FEW), width=32).body
    bars = [span for row in body for span in row if span.text.strip() and not span.text.strip(" █▉▊▋▌▍▎▏")]
    assert bars
    assert {span.role for span in bars} <= {Role.FAINT, Role.MUTED}


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
    assert rows[-1].split()[:3] == ["CVD", "≈", "+0.75000"]
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
    """Once only prints after it are kept all of those are there; the sums from the beginning never are."""
    held = filled(*FEW, maximum=3)
    held.lose(1)
    assert text(shown(held).trust) == "⚠ 1 message missing"
    for one in FEW:
        held.add(one)
    pane = shown(held, options={"window": "10s"}, now=NOW + 60 * SECOND)
    assert text(pane.trust).startswith("all prints")
    assert "≈" in plain(pane)[-1]
    assert "≈" not in plain(pane)[-2]


def test_it_says_how_far_back_it_goes() -> None:
    """The border has the age of the oldest print that is kept."""
    assert text(shown(filled(*many(5)), now=NOW + 130 * SECOND).trust) == "all prints · 2 m back"


def test_the_figures_are_those_of_the_window() -> None:
    """Bought, sold, delta, VWAP and rates over the window, CVD since the beginning, in columns."""
    old = print_("60000.00", "100", Side.BUY, NOW - 300 * SECOND)
    pane = shown(filled(old, *FEW), height=20, options={"window": "10s"}, now=NOW + 9 * SECOND)
    figures = plain(pane)[-5:]
    assert set(figures[0].strip()) == {"━", "─"}
    assert [row.split() for row in figures[1:]] == [
        ["10", "s", "▲", "1.25000", "VWAP", "61,837.64"],
        ["▼", "0.50000", "prints", "0.3/s"],
        ["Δ", "+0.75000", "volume", "0.1946/s"],
        ["CVD", "+100.75000", "since", "23:49"],
    ]


def test_where_there_is_little_room_words_are_shorter_and_numbers_whole() -> None:
    """Down to one number a row: the mean price is told to its last digit and by its name."""
    made = filled(*FEW)
    for width, vwap in ((36, "VWAP 61,837.64"), (32, "VW 61,837.64"), (22, "VWAP 61,837.64")):
        for height in (20, 12):
            pane = shown(made, width=width, height=height, now=NOW + 20 * SECOND)
            assert vwap in " ".join(screen(pane).split())
            assert bad_widths(pane.body, width) == []


def test_the_border_says_less_where_there_is_little_room() -> None:
    """Never half of a word."""
    made, memory = filled(*FEW), TapeMemory()
    said = [text(shown(made, width=width, memory=memory).trust) for width in (40, 24, 14)]
    assert said == ["all prints · 2 s back", "2 s back", ""]
    memory.pause()
    said = [text(shown(made, width=width, memory=memory).trust) for width in (40, 20, 14)]
    assert said == ["‖ paused +0", "‖ +0", "+0"]


def test_a_window_that_is_longer_than_the_watch_says_how_long_that_was() -> None:
    """An hour of which eight seconds are known is called by those."""
    pane = shown(filled(*FEW), height=20, options={"window": "1h"}, now=NOW + 9 * SECOND)
    assert plain(pane)[-4].split()[:3] == ["8", "s", "▲"]


def test_a_wide_tape_has_every_window_beside_the_prints() -> None:
    """One row a window, the chosen one marked; what has not been watched for so long is not known."""
    pane = shown(filled(*FEW), width=160, height=20, options={"window": "1m"}, now=NOW + 12 * SECOND)
    rows = [row[80:] for row in plain(pane)]
    assert rows[0].split() == ["window", "bought", "▲", "sold", "▼", "CVD", "Δ", "VWAP", "prints", "volume"]
    assert rows[1].split()[:4] == ["10", "s", "0.00000", "0.00000"]
    assert rows[2].split()[:3] == ["›11", "s", "1.25000"]
    assert rows[3].split() == ["5", "m", "—", "—", "—", "—", "—", "—"]
    assert rows[6].split()[:5] == ["all", "1.25000", "0.50000", "+0.75000", "61,837.64"]


def test_figures_change_by_the_second_and_by_the_print_while_the_clock_stands() -> None:
    """A replay that pauses within a second shows sums of all the prints above them."""
    held, memory = filled(*FEW), TapeMemory()

    def total(now: int) -> str:
        return plain(shown(held, width=160, height=20, memory=memory, now=now))[6][80:].split()[1]

    now = NOW + 12 * SECOND
    assert total(now) == "1.25000"
    held.add(print_("61837.64", "1", Side.BUY, now))
    assert total(now + 1) == "1.25000"
    assert total(now + 1) == "2.25000"
    held.add(print_("61837.64", "1", Side.BUY, now))
    assert total(now + SECOND) == "3.25000"


def test_a_rate_that_is_too_long_is_abbreviated_and_still_a_rate() -> None:
    """The number gives way, never its whole part or what it is a rate of."""
    held = filled(print_("2.00", "14194.00", Side.BUY, NOW))
    rows = plain(shown(held, width=160, height=20, now=NOW + 12 * SECOND))
    assert rows[2].split()[-1] == "1.18k/s"


def test_a_sum_or_notional_is_never_shown_as_nothing_where_it_is_something() -> None:
    """Where the decimals that there is room for would be zeros it has digits of its own."""
    held = filled(print_("1.00", "2500000", Side.BUY, NOW), print_("0.01", "0.04", Side.SELL, NOW + SECOND))
    rows = plain(shown(held, width=160, height=20, now=NOW + 12 * SECOND))
    assert "0.00040" in rows[1]
    assert rows[2][80:].split()[:3] == ["›12", "s", "2,500,000"]
    assert rows[2][80:].split()[3] == "0.0400"


def test_a_roomy_tape_has_every_window_below_the_prints() -> None:
    """The same table, under the line of what was bought and sold."""
    rows = plain(shown(filled(*FEW), width=76, height=36, now=NOW + 12 * SECOND))
    assert set(rows[-8].strip()) == {"━", "─"}
    assert rows[-7].split()[:4] == ["window", "bought", "▲", "sold"]
    assert rows[-1].split()[:4] == ["all", "1.25000", "0.50000", "+0.75000"]


def test_a_filter_leaves_small_prints_out_and_the_title_says_so() -> None:
    """In base or in quote; the figures are those of all prints all the same."""
    memory = TapeMemory(least={"base": Decimal("0.5"), "quote": Decimal(50_000)})
    pane = shown(filled(*FEW), memory=memory)
    assert [row.split()[2] for row in plain(pane)[1:3]] == ["61,837.64", "61,837.63"]
    assert text(pane.title) == "Tape ≥ 0.5 BTC"
    quote = shown(filled(*FEW), memory=memory, options={"unit": "quote"})
    assert "61,837.63" not in screen(quote)
    assert text(quote.title) == "Tape ≥ 50,000 USDT"
    assert "+0.75000" in screen(quote)
    memory.least["base"] = Decimal(9)
    assert "No print as large" in screen(shown(filled(*FEW), memory=memory))


def test_the_filter_goes_in_steps_from_what_is_usual_here() -> None:
    """The first step is above the median of the prints, the last one below the smallest is none."""
    memory = TapeMemory()
    shown(filled(*FEW), memory=memory)
    assert memory.step_filter(-1) is None
    assert [memory.step_filter(1) for _ in range(3)] == [1, 2, 5]
    down = [memory.step_filter(-1) for _ in range(11)]
    assert down[:4] == [2, 1, Decimal("0.5"), Decimal("0.2")]
    assert down[-2:] == [Decimal("0.002"), None]
    shown(filled(*FEW), memory=memory, options={"unit": "quote"})
    assert memory.step_filter(1) == 50_000


def test_prints_of_one_sweep_are_one_row() -> None:
    """With their number, where it came to and where it began, where there is room."""
    sweep = [print_(f"100.0{n}", "1", Side.BUY, NOW) for n in range(1, 4)]
    pane = shown(filled(FEW[0], *sweep), width=70, options={"aggregate": "on"})
    assert text(pane.title) == "Tape · sweeps"
    assert plain(pane)[0].split() == ["time", "price", "from", "size", "prints"]
    assert plain(pane)[1].split()[2:6] == ["100.03", "100.01", "3.00000", "×3"]
    assert "×" not in plain(pane)[2]


def test_extreme_numbers_fit() -> None:
    """Prices of 1e-12 and 1e9 and sizes of 18 decimals, without an instrument."""
    for price, quantity in (
        ("0.000000000001", "0.000000000000000001"),
        ("1000000000", "123456789.000000000000000001"),
    ):
        for width in (34, 56, 120):
            held = filled(print_(price, quantity, None), print_(price, quantity, Side.SELL))
            pane = tape(
                held, None, width=width, height=16, trust=LIVE, memory=TapeMemory(), options={}, now=NOW
            )
            assert bad_widths(pane.body, width) == []
            assert any(price in row.replace(",", "") for row in plain(pane))


def test_a_wide_tape_draws_the_way_of_the_cvd() -> None:
    """As candles: a second that bought is a line upwards, one that sold is solid; its end is the CVD."""
    rises = [print_("100.00", "2", Side.BUY, NOW + n * SECOND) for n in range(5)]
    falls = [print_("100.00", "3", Side.SELL, NOW + n * SECOND) for n in range(5, 8)]
    pane = shown(
        filled(*rises, *falls), width=150, height=30, options={"window": "10s"}, now=NOW + 7 * SECOND
    )
    rows = [row[80:] for row in plain(pane)][8:]
    assert rows[0].split() == ["CVD", "1", "s", "a", "column"]
    drawn = ["".join(row[x] for row in rows[1:16]).strip() for x in range(49, 57)]
    assert all(set(column) <= set("┃╹╻╽╿") for column in drawn[:5])
    assert all(set(column) <= set("█▀▄") for column in drawn[5:])
    assert any(row.rstrip().endswith("+1.00000") for row in rows)
    assert rows[-1].split() == ["−56", "s", "now"]
