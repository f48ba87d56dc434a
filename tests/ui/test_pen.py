"""The pen: what it writes is short, and comes out where it should."""

from __future__ import annotations

import pyte
from hypothesis import given
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.style import Style

from cadenza_tui.ui.pen import A_SCREEN, Pen, motion
from cadenza_tui.ui.sgr import PLAIN, Look

WIDTH, HEIGHT = 30, 12
GREY = Style.parse("#cfd6e1 on #11151c")
GREEN = Style.parse("#57b894 on #11151c")
BOLD = Style.parse("bold #cfd6e1 on #11151c")
LINED = Style.parse("underline #cfd6e1 on #11151c")
rows, columns = st.integers(0, HEIGHT - 1), st.integers(0, WIDTH - 1)


def pen(look: Look | None = PLAIN) -> Pen:
    return Pen(ColorSystem.TRUECOLOR, look, WIDTH)


def written(pen: Pen, *runs: tuple[int, int, str, Style]) -> str:
    for x, y, text, style in runs:
        pen.move(x, y)
        pen.write(text, style, len(text))
    return pen.finish()


@given(rows, columns, rows, columns)
def test_a_motion_ends_where_it_should(row: int, column: int, y: int, x: int) -> None:
    """From any cell to any other, and never longer than an address."""
    screen = pyte.Screen(WIDTH, HEIGHT)
    stream = pyte.Stream(screen)
    stream.feed(f"\x1b[{row + 1};{column + 1}H")
    moved = motion(row, column, y, x)
    stream.feed(moved)
    assert (screen.cursor.y, screen.cursor.x) == (y, x)
    assert len(moved) <= len(f"\x1b[{y + 1};{x + 1}H")
    assert not set("\n\r\v\f") & set(moved)


def test_the_rows_below_are_near() -> None:
    """The last digits of a column of numbers cost half an address a row."""
    assert motion(3, 20, 4, 19) == "\x1b[B\b"
    assert motion(3, 20, 3, 21) == "\x1b[C"
    assert motion(3, 20, 4, 20) == "\x1b[B"
    assert motion(3, 20, 5, 20) == "\x1b[2B"
    assert motion(9, 20, 3, 20) == "\x1b[4;21H"


def test_a_place_that_is_not_known_is_left_by_address() -> None:
    """The first move of a frame, and the one after the last column, where terminals differ."""
    assert motion(-1, -1, 3, 20) == "\x1b[4;21H"
    assert motion(-1, -1, 0, 0) == "\x1b[H"
    text = written(pen(), (WIDTH - 2, 0, "ab", GREY), (WIDTH - 2, 1, "cd", GREY))
    assert text.count("H") == 2


def test_after_a_wide_character_the_place_is_not_known() -> None:
    """How wide the terminal takes it to be is its own affair."""
    one = pen()
    one.move(0, 0)
    one.write("名", GREY, 2)
    one.move(5, 0)
    one.write("x", GREY, 1)
    assert one.finish().endswith("\x1b[1;6Hx")


def test_a_look_is_said_once_for_all_its_runs() -> None:
    """Moving costs less than colours do."""
    text = written(pen(), *((x, y, "5", style) for y in range(5) for x, style in ((3, GREY), (9, GREEN))))
    assert text.count("m") == 2


def test_the_look_in_force_is_not_said_again() -> None:
    """Nor is it taken back at the end: the next frame goes on with it."""
    first = pen()
    written(first, (3, 0, "5", GREY))
    second = pen(first.look)
    assert written(second, (3, 0, "6", GREY)) == "\x1b[1;4H6"


def test_a_look_that_is_not_known_is_said_whole() -> None:
    """Whoever had the terminal may have left it bold."""
    assert written(pen(None), (0, 0, "5", GREY)).startswith("\x1b[0;38;2;207;214;225;48;2;17;21;28m")
    assert written(pen(None), (0, 0, "5", Style())).startswith("\x1b[m")


def test_an_attribute_is_taken_back_alone() -> None:
    """A reset would cost both colours again."""
    first = pen()
    written(first, (0, 0, "5", BOLD))
    assert written(pen(first.look), (0, 0, "5", GREY)) == "\x1b[22m\x1b[H5"


def test_a_blank_is_written_in_any_look_of_its_ground() -> None:
    """Its foreground cannot be seen; a line under it can."""
    first = pen()
    written(first, (0, 0, "5", GREEN))
    assert written(pen(first.look), (0, 0, " ", GREY)) == "\x1b[H "
    written(first := pen(), (0, 0, "5", LINED))
    assert written(pen(first.look), (0, 0, " ", GREY)) == "\x1b[24m\x1b[H "


def test_a_whole_screen_is_written_line_by_line_where_that_is_shorter() -> None:
    """Cells side by side need no motion at all."""
    runs = [(x, y, "x", GREY if x % 2 else GREEN) for y in range(12) for x in range(20)]
    assert len(runs) > A_SCREEN
    text = written(pen(), *((x, y, f"{t}", style) for x, y, t, style in runs))
    by_look = written(pen(), *((x, y, "x", style) for x, y, _, style in runs[: A_SCREEN - 1]))
    assert len(text) / len(runs) <= len(by_look) / A_SCREEN * 1.2


@given(st.lists(st.tuples(rows, st.integers(0, 3), st.text("ab ", min_size=1, max_size=6)), max_size=30))
def test_the_estimate_is_near(cells: list[tuple[int, int, str]]) -> None:
    """What a frame is planned by is at most twice what it becomes, and never much less."""
    places = {(y, x): text for y, x, text in cells}
    one = pen()
    text = written(one, *((x * 7, y, text, GREY) for (y, x), text in places.items()))
    assert len(text) <= one.estimate + 40
    assert one.estimate <= 2 * len(text) + 40


def test_an_empty_pen_writes_nothing() -> None:
    """And leaves the look alone."""
    one = pen(None)
    assert one.finish() == ""
    assert one.look is None


def test_one_pen_takes_over_from_another() -> None:
    """Parts of a frame are collected one by one, and written as if by one pen."""
    whole, first, second = pen(), pen(), pen()
    expected = written(whole, (3, 0, "5", GREY), (3, 1, "6", GREY))
    for one, y, text in ((first, 0, "5"), (second, 1, "6")):
        one.move(3, y)
        one.write(text, GREY, 1)
    first.take(second)
    assert first.estimate == whole.estimate
    assert first.finish() == expected
