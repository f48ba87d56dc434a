"""Themes: what a theme file must have, and what becomes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from rich.color import Color

from cadenza_tui.errors import ThemeError
from cadenza_tui.ui.theme import (
    REQUIRED,
    ROLES,
    Brush,
    chosen,
    light_background,
    load_theme,
    load_themes,
    usable,
)
from cadenza_tui.view.rows import HEAT, HEAT_GROUNDS, Ground, Role, Span

if TYPE_CHECKING:
    from pathlib import Path


def write(path: Path, **roles: str) -> Path:
    lines = [f'{name} = "{value}"' for name, value in {**dict.fromkeys(ROLES, "#102030"), **roles}.items()]
    path.write_text("\n".join(['name = "mine"', "dark = false", "[roles]", *lines]))
    return path


def luminance(colour: str) -> float:
    """Return the relative luminance of ``#rrggbb`` (WCAG 2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_the_shipped_themes_are_dark_and_light() -> None:
    """All themes load, and each knows whether it is dark and whether its colours are the terminal's own."""
    themes = load_themes()
    assert {name: (theme.dark, theme.ansi, theme.tints) for name, theme in themes.items()} == {
        "dark": (True, False, True),
        "light": (False, False, True),
        "ansi-dark": (True, True, False),
        "ansi-light": (False, True, False),
    }


@pytest.mark.parametrize("system", ["truecolor", "256"])
@pytest.mark.parametrize("name", ["dark", "light"])
def test_every_role_can_be_read_on_every_ground(name: str, system: str) -> None:
    """Text that is meant to be read keeps a contrast of at least 3 to 1 on panel, cursor and bars."""
    colours = usable(load_themes(), system)[name].colours
    for role in ("text", "strong", "bid", "ask", "accent", "own", "muted"):
        for ground in ("panel", "ground", "cursor"):
            assert contrast(colours[role], colours[ground]) >= 3.0, f"{role} on {ground}"


@pytest.mark.parametrize("name", ["dark", "light"])
def test_256_colours_are_chosen_not_left_to_chance(name: str) -> None:
    """Each role has one, and what must differ does: sides, warning, accent, own; cursor, panel, bars."""
    theme = usable(load_themes(), "256")[name]
    colours = theme.colours
    assert set(theme.numbers) == set(ROLES)
    style = Brush(theme).style(Role.TEXT, Ground.CURSOR)
    assert style.color == Color.from_ansi(theme.numbers["text"])
    assert style.bgcolor == Color.from_ansi(theme.numbers["cursor"])
    for alike in (
        ("bid", "ask", "warn", "accent", "own", "text", "muted"),
        ("panel", "cursor", "bid-bar", "bid-large"),
        ("panel", "cursor", "ask-bar", "ask-large"),
    ):
        assert len({colours[role] for role in alike}) == len(alike)


def seen_without_red_or_green(colour: str) -> float:
    """Return the luminance that a deuteranope sees (Viénot, Brettel and Mollon 1999)."""
    r, g, b = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in (r, g, b))
    both = 0.29275 * r + 0.70725 * g
    return (0.2126 + 0.7152) * both + 0.0722 * (-0.02234 * r + 0.02234 * g + b)


@pytest.mark.parametrize("system", ["truecolor", "256"])
@pytest.mark.parametrize("name", ["dark", "light"])
def test_the_steps_of_a_heatmap_go_one_way_in_lightness(name: str, system: str) -> None:
    """From the ground away, each farther than the one before, whoever looks: hue only repeats it."""
    theme = usable(load_themes(), system)[name]
    steps = [theme.colours[ground.value] for ground in HEAT_GROUNDS]
    for seen in (luminance, seen_without_red_or_green):
        lights = [seen(colour) for colour in steps]
        assert lights == sorted(lights, reverse=not theme.dark)
        assert len(set(lights)) == len(lights)


@pytest.mark.parametrize("system", ["truecolor", "256"])
@pytest.mark.parametrize("name", ["dark", "light"])
def test_the_lines_of_the_touch_are_no_step_of_a_heatmap(name: str, system: str) -> None:
    """And bid, ask and both are three colours."""
    theme = usable(load_themes(), system)[name]
    lines = [theme.colours[line] for line in ("bid-line", "ask-line", "touch-line")]
    steps = [theme.colours[role.value] for role in HEAT]
    assert len({*lines, *steps}) == len(lines) + len(steps)


def test_a_theme_without_a_heatmap_gets_steps_of_its_own_colours(tmp_path: Path) -> None:
    """From its ground by way of its accent to its strongest text; a theme of before still loads."""
    path = tmp_path / "mine.toml"
    roles = {
        **dict.fromkeys(REQUIRED, "#102030"),
        "ground": "#000000",
        "accent": "#808080",
        "strong": "#ffffff",
    }
    path.write_text("[roles]\n" + "\n".join(f'{name} = "{value}"' for name, value in roles.items()))
    colours = load_theme(path).colours
    assert set(colours) == set(ROLES)
    lights = [luminance(colours[ground.value]) for ground in HEAT_GROUNDS]
    assert lights == sorted(set(lights))
    assert colours["heat-4"] == "#808080"
    assert colours["heat-8"] == "#ffffff"
    assert colours["touch-line"] == "#ffffff"


def test_an_ansi_theme_without_a_heatmap_gets_weights(tmp_path: Path) -> None:
    """Nothing can be blended with the terminal's own colours: the glyphs say the steps."""
    path = tmp_path / "mine.toml"
    path.write_text("[roles]\n" + "\n".join(f'{name} = "default"' for name in REQUIRED))
    brush = Brush(load_theme(path))
    looks = [brush.style(role, Ground.PANEL) for role in HEAT]
    assert looks[0].dim
    assert looks[-1].bold
    assert {look.color for look in looks} == {None}


def test_a_heatmap_that_is_not_current_is_fainter() -> None:
    """Its steps go down to half of what they are, in their order."""
    theme = load_themes()["dark"]
    brush = Brush(theme)
    dimmed = [brush.style(role, Ground.PANEL, dimmed=True) for role in HEAT]
    assert dimmed[-1] == brush.style(HEAT[3], Ground.PANEL)
    assert len(set(dimmed)) == 4
    upper = brush.style(Role.TOUCH_LINE, Ground.GROUND, dimmed=True)
    lower = brush.style(Role.TEXT, Ground.TOUCH_LINE, dimmed=True)
    assert upper.color == lower.bgcolor, "a line is one colour, whichever half of a row it takes"


HUES = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
PALETTES = {
    "xterm": (True, "#000000", "000000 cd0000 00cd00 cdcd00 0000ee cd00cd 00cdcd e5e5e5"),
    "console": (True, "#000000", "000000 aa0000 00aa00 aa5500 0000aa aa00aa 00aaaa aaaaaa"),
    "code": (True, "#1e1e1e", "000000 cd3131 0dbc79 e5e510 2472c8 bc3fbc 11a8cd e5e5e5"),
    "solarized dark": (True, "#002b36", "073642 dc322f 859900 b58900 268bd2 d33682 2aa198 eee8d5"),
    "xterm on white": (False, "#ffffff", "000000 cd0000 00cd00 cdcd00 0000ee cd00cd 00cdcd e5e5e5"),
    "gnome on white": (False, "#ffffff", "171421 c01c28 26a269 a2734c 12488b a347ba 2aa1b3 d0cfcc"),
    "solarized light": (False, "#fdf6e3", "073642 dc322f 859900 b58900 268bd2 d33682 2aa198 eee8d5"),
}
"""Palettes that people have: whether they are dark, their ground, and their first eight colours."""


@pytest.mark.parametrize("palette", PALETTES)
def test_ansi_themes_can_be_read_in_the_palettes_that_people_have(palette: str) -> None:
    """Every hue stands off the ground; the rest is the terminal's own text, dim where it is secondary."""
    dark, ground, hues = PALETTES[palette]
    own = dict(zip(HUES, (f"#{hue}" for hue in hues.split()), strict=True))
    theme = load_themes()["ansi-dark" if dark else "ansi-light"]
    for role in (role.value for role in Role if role.value in theme.colours):
        colour = theme.colours[role].removeprefix("ansi_")
        assert colour == "default" or contrast(own[colour], ground) >= 2.0, role


@pytest.mark.parametrize("name", ["ansi-dark", "ansi-light"])
def test_roles_that_must_differ_do_so_in_sixteen_colours(name: str) -> None:
    """Bid, ask, warning, accent and own are five looks, none of them text's or muted text's."""
    brush = Brush(load_themes()[name])
    roles = (Role.BID, Role.ASK, Role.WARN, Role.ACCENT, Role.OWN, Role.TEXT, Role.MUTED)
    looks = {(s.color, s.bold, s.dim) for s in (brush.style(role, Ground.PANEL) for role in roles)}
    assert len(looks) == len(roles)


@pytest.mark.parametrize("name", ["ansi-dark", "ansi-light"])
def test_ansi_themes_paint_no_ground(name: str) -> None:
    """The terminal's background stays; the row under the cursor differs all the same."""
    brush = Brush(load_themes()[name])
    assert {brush.style(role, ground).bgcolor for role in Role for ground in Ground} == {None}
    assert brush.style(Role.TEXT, Ground.CURSOR) != brush.style(Role.TEXT, Ground.PANEL)


def test_a_role_may_be_one_of_the_terminals_own_colours(tmp_path: Path) -> None:
    """By its name, as Textual writes it or shorter, attributes before it."""
    theme = load_theme(write(tmp_path / "mine.toml", bid="ansi_bright_green", muted="dim default"))
    brush = Brush(theme)
    bid, muted = brush.style(Role.BID, Ground.PANEL), brush.style(Role.MUTED, Ground.PANEL)
    assert bid.color is not None
    assert bid.color.name == "bright_green"
    assert (muted.color, muted.dim) == (None, True)


@pytest.mark.parametrize("value", ["", "bold", "loud red", "#12345", "bright_default"])
def test_what_is_no_colour_is_refused(tmp_path: Path, value: str) -> None:
    """An attribute alone is none, nor is an attribute that nobody knows."""
    with pytest.raises(ThemeError, match="'bid' is not a colour"):
        load_theme(write(tmp_path / "mine.toml", bid=value))


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("bid = 15", "'bid' of .roles-256. is none of the 256 colours, was 15"),
        ('bid = "#102030"', "is none of the 256 colours"),
        ("bid = true", "is none of the 256 colours"),
        ("bdi = 72", "'bdi' is not a role"),
    ],
)
def test_a_number_that_is_no_colour_is_refused(tmp_path: Path, line: str, sentence: str) -> None:
    """The first sixteen are whatever the terminal has there."""
    path = write(tmp_path / "mine.toml")
    path.write_text(f"{path.read_text()}\n[roles-256]\n{line}\n")
    with pytest.raises(ThemeError, match=sentence):
        load_theme(path)


@pytest.mark.parametrize(
    ("ground", "light"),
    [
        ("0;15", True),
        ("15;0", False),
        ("0;default;7", True),
        ("12;8", False),
        ("15;default", False),
        ("", False),
    ],
)
def test_the_terminal_may_say_that_it_is_light(ground: str, light: bool) -> None:
    """COLORFGBG ends with the background's colour."""
    assert light_background({"COLORFGBG": ground}) is light
    assert light_background({}) is False


@pytest.mark.parametrize(
    ("name", "system", "light", "expected"),
    [
        ("auto", "truecolor", False, "dark"),
        ("auto", "256", True, "light"),
        ("light", "truecolor", False, "light"),
        ("ansi-light", "truecolor", False, "ansi-light"),
        ("auto", "standard", False, "ansi-dark"),
        ("auto", "standard", True, "ansi-light"),
        ("dark", "standard", True, "ansi-dark"),
        ("light", "standard", False, "ansi-light"),
        ("dark", None, False, "dark"),
    ],
)
def test_the_theme_follows_the_wish_and_the_terminal(
    name: str, system: str | None, light: bool, expected: str
) -> None:
    """Where there are sixteen colours a theme's counterpart in these is shown."""
    every = load_themes()
    assert chosen(name, every, usable(every, system), light=light).name == expected


def test_a_theme_that_there_is_not_is_named() -> None:
    """The sentence says which there are."""
    every = load_themes()
    with pytest.raises(ThemeError, match="no theme 'mauve'") as raised:
        chosen("mauve", every, every, light=False)
    assert "auto, ansi-dark, ansi-light, dark, light" in str(raised.value.remedy)


def test_a_colour_that_is_none_names_file_and_role(tmp_path: Path) -> None:
    """The sentence says what to mend."""
    with pytest.raises(ThemeError, match=r"mine\.toml: 'bid' is not a colour, was 'greenish'"):
        load_theme(write(tmp_path / "mine.toml", bid="greenish"))


def test_a_missing_role_is_named(tmp_path: Path) -> None:
    """A theme that lacks a role is refused."""
    path = tmp_path / "mine.toml"
    path.write_text('[roles]\nbid = "#102030"\n')
    with pytest.raises(ThemeError, match="lacks 'text'"):
        load_theme(path)


def test_an_unknown_role_is_named(tmp_path: Path) -> None:
    """A typo in a role's name is not silently ignored."""
    with pytest.raises(ThemeError, match="'bdi' is not a role"):
        load_theme(write(tmp_path / "mine.toml", bdi="#102030"))


def test_what_is_not_toml_is_refused(tmp_path: Path) -> None:
    """A broken file is named."""
    path = tmp_path / "broken.toml"
    path.write_text("roles = [")
    with pytest.raises(ThemeError, match=r"broken\.toml"):
        load_theme(path)


@pytest.mark.parametrize(
    "content",
    [
        b"name = '\xff'",
        b"[roles]\nbid = 0x" + b"f" * 9 + b"\ntext = " + b"9" * 5_000,
        b"a = " + b"[" * 100_000,
    ],
    ids=["not UTF-8", "a number too long", "too deep"],
)
def test_a_file_that_no_parser_can_take_is_refused(tmp_path: Path, content: bytes) -> None:
    """Whatever it is that the parser raises, the file is named."""
    path = tmp_path / "hostile.toml"
    path.write_bytes(content)
    with pytest.raises(ThemeError, match=r"hostile\.toml: cannot be read as a theme"):
        load_theme(path)


def test_the_same_row_is_the_same_strip() -> None:
    """The painter skips a line by identity, so equal rows must give one object."""
    brush = Brush(load_themes()["dark"])
    assert brush.strip((Span("1", Role.BID),)) is brush.strip((Span("1", Role.BID),))


def test_strips_that_are_kept_are_bounded_by_their_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of many spans, of which a heatmap makes new ones each second, do not fill the memory."""
    monkeypatch.setattr("cadenza_tui.ui.theme.MAX_SPANS", 100)
    brush = Brush(load_themes()["dark"])
    for n in range(50):
        brush.strip(tuple(Span(str(n), role) for role in HEAT))
        assert sum(len(row) for row, _ in brush._strips) <= 100
    assert len(brush._strips) > 1


def test_a_dimmed_row_is_painted_fainter() -> None:
    """What cannot be trusted as current looks different."""
    brush = Brush(load_themes()["dark"])
    row = (Span("61,837.64", Role.STRONG),)
    assert brush.strip(row) != brush.strip(row, dimmed=True)


@pytest.mark.parametrize(
    ("large", "ordinary"), [(Ground.BID_LARGE, Ground.BID_BAR), (Ground.ASK_LARGE, Ground.ASK_BAR)]
)
def test_no_level_stands_out_in_a_dimmed_pane(large: Ground, ordinary: Ground) -> None:
    """A large level that may be gone has the tint of any other."""
    brush = Brush(load_themes()["dark"])
    assert brush.style(Role.STRONG, large, dimmed=True) == brush.style(Role.TEXT, ordinary, dimmed=True)
    assert brush.style(Role.STRONG, large) != brush.style(Role.TEXT, ordinary)


def test_a_bar_of_glyphs_is_fainter_than_its_number_in_a_dimmed_pane() -> None:
    """Else the bars would be the loudest of what may not be so any more."""
    brush = Brush(load_themes()["dark"])
    number, bar = brush.strip((Span("0.5", Role.BID), Span("█▌", Role.BID)), dimmed=True)
    assert number.style == brush.style(Role.MUTED, Ground.PANEL)
    assert bar.style == brush.style(Role.FAINT, Ground.PANEL)


def test_without_colour_a_brush_uses_attributes_only() -> None:
    """NO_COLOR leaves weight, and a line under the cursor's row: reversed, its bar would be reversed, too."""
    style = Brush(load_themes()["dark"], colour=False).style(Role.STRONG, Ground.CURSOR)
    assert style.color is None
    assert style.bgcolor is None
    assert style.bold
    assert style.underline
    assert not style.reverse
