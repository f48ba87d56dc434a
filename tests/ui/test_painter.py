"""The painter, against a terminal emulator: what it leaves out is never missing on the screen."""

from __future__ import annotations

import pyte
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from cadenza_tui.ui.cells import changed_spans, differences, wide_differences
from cadenza_tui.ui.painter import CLEAR, Painter, PiecesUpdate
from cadenza_tui.ui.sgr import PLAIN, look_of, transition

WIDTH, HEIGHT = 24, 3
STYLES = [
    Style.parse(text)
    for text in (
        "#cfd6e1 on #11151c",
        "bold #cfd6e1 on #11151c",
        "#57b894 on #11151c",
        "#57b894 on #12312a",
        "reverse #57b894",
        "default on default",
        "dim italic #e0707e on #371c23",
    )
]
CONSOLE = Console(color_system="truecolor", width=WIDTH, height=HEIGHT)

texts = st.text(alphabet="0123456789., ▲▼│─", min_size=1, max_size=9)
segments = st.tuples(texts, st.sampled_from(STYLES)).map(lambda pair: Segment(*pair))


def to_width(parts: list[Segment]) -> Strip:
    return Strip(parts).adjust_cell_length(WIDTH, STYLES[0])


lines = st.lists(segments, max_size=8).map(to_width)
screens = st.lists(lines, min_size=HEIGHT, max_size=HEIGHT)


def shown(screen: pyte.Screen) -> list[list[tuple[object, ...]]]:
    """Every cell with all that can be seen of it."""
    cells: list[list[tuple[object, ...]]] = []
    for y in range(HEIGHT):
        row: list[tuple[object, ...]] = []
        for x in range(WIDTH):
            cell = screen.buffer[y][x]
            foreground = cell.bg if cell.reverse else cell.fg
            background = cell.fg if cell.reverse else cell.bg
            blank = cell.data == " " and not cell.underscore
            row.append((cell.data, None if blank else (foreground, cell.bold, cell.italics), background))
        cells.append(row)
    return cells


def feed(stream: pyte.Stream, update: CompositorUpdate) -> str:
    data = update.render_segments(CONSOLE)
    stream.feed(data)
    return data


def whole(strips: list[Strip]) -> LayoutUpdate:
    return LayoutUpdate([[strip] for strip in strips], Region(0, 0, WIDTH, HEIGHT))


def partial(strips: list[Strip], cuts: list[int], spans: list[tuple[int, int, int]]) -> ChopsUpdate:
    edges = [0, *cuts, WIDTH]
    chops = [dict(zip(edges[:-1], strip.divide(edges[1:]), strict=True)) for strip in strips]
    return ChopsUpdate(chops, spans, [edges[1:]] * len(strips))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(screens, st.booleans()), min_size=2, max_size=5),
    st.sets(st.integers(1, WIDTH - 1), max_size=3),
)
def test_updates_leave_the_same_screen_as_whole_ones(
    frames: list[tuple[list[Strip], bool]], cuts: set[int]
) -> None:
    """A terminal that got only the differences shows what one that got everything shows."""
    painted, reference = pyte.Screen(WIDTH, HEIGHT), pyte.Screen(WIDTH, HEIGHT)
    painter, stream, other = Painter(), pyte.Stream(painted), pyte.Stream(reference)
    spans = [(y, 0, WIDTH) for y in range(HEIGHT)]
    feed(stream, painter.wrap(whole(frames[0][0])))
    for frame, full in frames[1:]:
        feed(stream, painter.wrap(whole(frame) if full else partial(frame, sorted(cuts), spans)))
    feed(other, Painter().wrap(whole(frames[-1][0])))
    assert shown(painted) == shown(reference)


@settings(max_examples=75, deadline=None)
@given(st.lists(screens, min_size=2, max_size=4), st.integers(1, WIDTH - 1))
def test_pieces_and_updates_of_the_compositor_take_turns(frames: list[list[Strip]], cut: int) -> None:
    """What went past the compositor is known to the updates that come from it, and the other way round."""
    painted, reference = pyte.Screen(WIDTH, HEIGHT), pyte.Screen(WIDTH, HEIGHT)
    painter, stream = Painter(), pyte.Stream(painted)
    spans = [(y, 0, WIDTH) for y in range(HEIGHT)]
    for frame in frames:
        feed(stream, painter.wrap(partial(frame, [cut], spans)))
        right = [strip.crop(cut, WIDTH) for strip in reversed(frame)]
        assert all(painter.knows(cut, y, WIDTH - cut) for y in range(HEIGHT))
        feed(stream, PiecesUpdate(painter, [[(cut, y, strip)] for y, strip in enumerate(right)]))
    last = [
        Strip([*left.crop(0, cut), *right.crop(cut, WIDTH)])
        for left, right in zip(frames[-1], reversed(frames[-1]), strict=True)
    ]
    feed(pyte.Stream(reference), Painter().wrap(whole(last)))
    assert shown(painted) == shown(reference)


def test_a_piece_that_is_not_there_as_such_is_not_known() -> None:
    """A line that was cut elsewhere, or never shown, needs the compositor."""
    painter = Painter()
    assert not painter.knows(0, 0, WIDTH)
    spans = [(0, 0, WIDTH)]
    painter.wrap(partial([to_width([])], [9], spans)).render_segments(CONSOLE)
    assert painter.knows(9, 0, WIDTH - 9)
    assert not painter.knows(9, 0, WIDTH - 10)
    assert not painter.knows(0, 0, WIDTH)
    painter.forget()
    assert not painter.knows(9, 0, WIDTH - 9)


def test_an_unchanged_frame_costs_nothing() -> None:
    """Painting what is already there writes not one byte."""
    strips = [to_width([Segment("61,837.64", STYLES[2])]) for _ in range(HEIGHT)]
    painter = Painter()
    painter.wrap(whole(strips)).render_segments(CONSOLE)
    again = [to_width([Segment("61,837.64", STYLES[2])]) for _ in range(HEIGHT)]
    spans = [(y, 0, WIDTH) for y in range(HEIGHT)]
    assert painter.wrap(partial(again, [], spans)).render_segments(CONSOLE) == ""


def test_an_unchanged_whole_screen_costs_nothing() -> None:
    """A full update writes only what differs, too."""
    strips = [to_width([Segment("61,837.64", STYLES[2])]) for _ in range(HEIGHT)]
    painter = Painter()
    painter.wrap(whole(strips)).render_segments(CONSOLE)
    assert painter.wrap(whole(strips)).render_segments(CONSOLE) == ""


def test_a_resized_screen_is_written_whole() -> None:
    """A terminal of another size shows nothing that can be relied on."""
    strips = [to_width([Segment("61,837.64", STYLES[2])]) for _ in range(HEIGHT)]
    painter = Painter()
    painter.wrap(whole(strips)).render_segments(CONSOLE)
    taller = LayoutUpdate([[strip] for strip in [*strips, strips[0]]], Region(0, 0, WIDTH, HEIGHT + 1))
    assert painter.wrap(taller).render_segments(CONSOLE).count("61,837.64") == HEIGHT + 1


def test_one_changed_digit_costs_one_move_and_one_digit() -> None:
    """A digit that changes is written alone, in the look that is in force already."""
    painter = Painter()
    painter.wrap(whole([to_width([Segment("61,837.64", STYLES[2])])])).render_segments(CONSOLE)
    update = partial([to_width([Segment("61,837.65", STYLES[2])])], [], [(0, 0, WIDTH)])
    assert painter.wrap(update).render_segments(CONSOLE) == "\x1b[1;9H5"


def test_one_changed_cell_beside_wide_characters_is_written_alone() -> None:
    """Where characters take two cells, too, nothing is written that stands there already."""
    painter = Painter()
    painter.wrap(whole([to_width([Segment("名前 1", STYLES[0])])])).render_segments(CONSOLE)
    update = partial([to_width([Segment("名前 2", STYLES[0])])], [], [(0, 0, WIDTH)])
    assert painter.wrap(update).render_segments(CONSOLE) == "\x1b[1;6H2"


def test_forgetting_writes_the_next_strips_whole() -> None:
    """After something else wrote on the terminal nothing remembered is trusted."""
    strips = [to_width([Segment("61,837.64", STYLES[2])]) for _ in range(HEIGHT)]
    painter = Painter()
    painter.wrap(whole(strips)).render_segments(CONSOLE)
    painter.forget()
    spans = [(y, 0, WIDTH) for y in range(HEIGHT)]
    assert painter.wrap(partial(strips, [], spans)).render_segments(CONSOLE).count("61,837.64") == HEIGHT


@given(st.lists(st.sampled_from(STYLES), min_size=2, max_size=6))
def test_a_transition_always_ends_in_the_wanted_look(styles: list[Style]) -> None:
    """However it is reached, the last look is what the terminal writes with; an unknown one, too."""
    screen = pyte.Screen(4, 1)
    stream = pyte.Stream(screen)
    stream.feed("\x1b[1;3;4;31;42m")
    now = None
    for style in styles:
        look = look_of(style, ColorSystem.TRUECOLOR)
        stream.feed(transition(now, look))
        now = look
    stream.feed("\x1b[Hx")
    fresh = pyte.Screen(4, 1)
    assert now is not None
    pyte.Stream(fresh).feed(transition(PLAIN, now) + "x")
    assert screen.buffer[0][0] == fresh.buffer[0][0]


@given(st.text("ab", min_size=1, max_size=30), st.data())
def test_changed_spans_cover_every_difference(old: str, data: st.DataObject) -> None:
    """Outside the spans both texts are the same, and each span begins and ends with a difference."""
    new = data.draw(st.text("ab", min_size=len(old), max_size=len(old)))
    spans = list(changed_spans(old, new))
    covered = {index for start, end in spans for index in range(start, end)}
    assert all(index in covered for index in range(len(old)) if old[index] != new[index])
    assert all(old[start] != new[start] and old[end - 1] != new[end - 1] for start, end in spans)


wide_lines = st.lists(
    st.tuples(st.text(alphabet="ab 名前한글é", min_size=1, max_size=5), st.sampled_from(STYLES)).map(
        lambda pair: Segment(*pair)
    ),
    max_size=6,
).map(to_width)


class Halves(pyte.Screen):
    """A terminal that blanks the other half where half of a wide character is written over."""

    def draw(self, data: str) -> None:
        for character in data:
            x, y = self.cursor.x, self.cursor.y
            cells = 2 if cell_len(character) == 2 else 1
            line = self.buffer[y]
            for edge in (x, x + cells):
                if edge < self.columns and line[edge].data == "":
                    line[edge - 1] = line[edge - 1]._replace(data=" ")
                    line[edge] = line[edge]._replace(data=" ")
            super().draw(character)


@settings(max_examples=150, deadline=None)
@given(st.lists(wide_lines, min_size=2, max_size=5))
def test_lines_of_wide_characters_come_out_right(frames: list[Strip]) -> None:
    """Whatever is written over what, a terminal shows what one that got the last line alone shows."""
    painted, reference = Halves(WIDTH, HEIGHT), Halves(WIDTH, HEIGHT)
    painter, stream = Painter(), pyte.Stream(painted)
    for frame in frames:
        feed(stream, painter.wrap(partial([frame], [], [(0, 0, WIDTH)])))
    feed(pyte.Stream(reference), Painter().wrap(partial([frames[-1]], [], [(0, 0, WIDTH)])))
    assert shown(painted) == shown(reference)


@given(wide_lines, wide_lines)
def test_half_a_wide_character_is_never_written(old: Strip, new: Strip) -> None:
    """Each run is as many cells wide as it says, and begins and ends between characters."""
    for _, text, _, cells in wide_differences(old, new):
        assert cell_len(text) == cells


def parts_of(*texts: str) -> list[list[tuple[int, int, Strip]]]:
    return [[(0, y, to_width([Segment(text, STYLES[2])]))] for y, text in enumerate(texts)]


def test_a_frame_has_as_many_parts_as_it_has_room_for() -> None:
    """The first part is always written; one that would make the frame too large is left to the next."""
    painter = Painter()
    painter.paint(parts_of("", "", ""), CONSOLE)
    wanted = parts_of("first", "second", "third")
    painted = painter.paint(wanted, CONSOLE, 60)
    assert "first" in painted.text
    assert "second" not in painted.text
    assert painted.parts == 1
    rest = painter.paint(wanted, CONSOLE, 1000)
    assert "first" not in rest.text
    assert "second" in rest.text
    assert "third" in rest.text
    assert rest.parts == 3


def test_a_little_keeps_nothing_out_of_its_frame() -> None:
    """The status line and the focused pane come together, though the pane alone is more than is allowed."""
    painter = Painter()
    painter.paint(parts_of("", "", ""), CONSOLE)
    painted = painter.paint(parts_of("1", "a" * 20, "b" * 20), CONSOLE, 120)
    assert "1" in painted.text
    assert "a" * 20 in painted.text
    painted = painter.paint(parts_of("2", "c" * 20, "d" * 20), CONSOLE, 30)
    assert painted.parts == 1


def test_a_part_without_a_change_takes_no_room() -> None:
    """What has not changed is done, however full the frame is."""
    painter = Painter()
    painter.paint(parts_of("a", "b", "c"), CONSOLE)
    assert painter.paint(parts_of("x", "b", "c"), CONSOLE, 1).parts == 3


def test_what_an_unknown_screen_has_no_room_for_is_blank_until_its_turn() -> None:
    """Half a screen beside what stood there before would be read as one."""
    painter = Painter()
    assert painter.paint(parts_of("first", "second"), CONSOLE, 10).text.startswith(CLEAR)
    assert CLEAR not in painter.paint(parts_of("first", "second"), CONSOLE, 10).text
    painter.forget()
    assert CLEAR not in painter.paint(parts_of("first", "second"), CONSOLE).text


def test_tiles_gather_what_stands_in_them() -> None:
    """What is in no tile comes first, then each tile's pieces, in the order of the tiles."""
    update = partial([to_width([]), to_width([])], [9], [(0, 0, WIDTH), (1, 0, WIDTH)])
    tiles = [Region(9, 0, WIDTH - 9, 2), Region(0, 1, 9, 1)]
    rest, right, left = Painter().parts(update, tiles)
    assert [piece[:2] for piece in rest] == [(0, 0)]
    assert [piece[:2] for piece in right] == [(9, 0), (9, 1)]
    assert [piece[:2] for piece in left] == [(0, 1)]


@given(lines, lines)
def test_differences_applied_to_the_old_line_give_the_new_one(old: Strip, new: Strip) -> None:
    """The runs, laid over the old text, are the new text."""
    text = list(old.text)
    for column, run, _style in differences(old, new):
        text[column : column + len(run)] = run
    assert "".join(text) == new.text


def test_without_colour_only_attributes_are_written() -> None:
    """A terminal without colours gets no colour codes."""
    plain = Console(color_system=None, width=WIDTH, height=1)
    strips = [to_width([Segment("live", STYLES[1])])]
    written = Painter().wrap(LayoutUpdate([strips], Region(0, 0, WIDTH, 1))).render_segments(plain)
    assert "38;2" not in written
    assert written.startswith("\x1b[0;1m")
