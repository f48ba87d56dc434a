"""Findings as lines and as an object."""

from __future__ import annotations

from cadenza_tui.doctor.finding import Finding, Outcome, fail, ok, skipped, warn
from cadenza_tui.doctor.report import Report, failed, to_object

INDENT = Report(colour=False, unicode=True).indent
ALL = [
    Finding("TCP", Outcome.OK, "connected", ms=12.3),
    warn("TLS", "ends in 5 d", "tell who runs the server"),
    fail("connect", "refused", "bring a token"),
    skipped("queries", "needs connect"),
]


def plain(**options: bool) -> Report:
    """Return a report without colour."""
    return Report(**({"colour": False, "unicode": True} | options))


def test_each_outcome_has_a_glyph_and_a_word_and_all_sentences_begin_at_one_place() -> None:
    """Readable without a colour."""
    lines = [plain().lines(finding)[0] for finding in ALL]
    assert [line[:11].split() for line in lines] == [
        ["✓", "ok"], ["▲", "warn"], ["✗", "fail"], ["·", "skipped"]
    ]  # fmt: skip
    assert [line[INDENT:] for line in lines] == [finding.sentence for finding in ALL]
    assert "12 ms" in lines[0]


def test_a_remedy_stands_below_its_sentence() -> None:
    """On a line of its own, in the same column."""
    assert plain().lines(ALL[2])[1] == " " * INDENT + "→ bring a token"
    assert len(plain().lines(ALL[0])) == 1


def test_long_sentences_are_broken_where_there_is_a_width() -> None:
    """And hang under their beginning; into a pipe they are not broken."""
    finding = fail("connect", "word " * 40, "remedy " * 20)
    report = Report(colour=False, unicode=True, width=80)
    lines = report.lines(finding)
    assert max(map(len, lines)) < 80
    assert len(lines) > 4
    assert all(line[: report.indent].strip() == "" and line[report.indent :] for line in lines[1:])
    assert len(plain().lines(finding)) == 2


def test_where_it_is_narrow_the_times_give_way_and_the_url_has_its_own_line() -> None:
    """The sentences keep the room."""
    narrow, wide = (Report(colour=False, unicode=True, width=width) for width in (80, 160))
    assert "12 ms" not in narrow.lines(ALL[0])[0]
    assert "12 ms" in wide.lines(ALL[0])[0]
    parts = ["cadenza-tui doctor", "profile prod", "wss://far.example/" + "x" * 60]
    assert narrow.heading(parts) == ["cadenza-tui doctor · profile prod", "  " + parts[-1]]
    assert len(wide.heading(parts)) == 1


def test_ascii_and_colour_change_no_column() -> None:
    """An ASCII terminal has signs of its own; colour only repeats them."""
    for finding in ALL:
        ascii_lines = plain(unicode=False).lines(finding)
        assert all(line.isascii() for line in ascii_lines)
        assert list(map(len, ascii_lines)) == list(map(len, plain().lines(finding)))
        coloured = plain(colour=True).lines(finding)
        assert "\x1b[" in coloured[0]
    assert "\x1b" not in "".join(plain().lines(ALL[2]))


def test_what_came_from_outside_cannot_move_the_cursor() -> None:
    """Neither in a sentence nor in a remedy."""
    lines = plain().lines(fail("connect", "a\x1b[2Jb", "c\nd\x07"))
    assert all(line.isprintable() for line in lines)


def test_the_summary_counts() -> None:
    """Outcomes that did not come up are left out."""
    assert plain().summary(ALL) == "  1 ok · 1 to be looked at · 1 failed · 1 skipped"
    assert plain().summary([ok("a", "b")]) == "  1 ok"


def test_one_failure_is_a_failure() -> None:
    """A warning or a skipped check is none."""
    assert failed(ALL)
    assert not failed([ALL[0], ALL[1], ALL[3]])


def test_the_object_has_it_all() -> None:
    """For programs."""
    made = to_object("profile prod", "wss://a/", ALL)
    assert (made["ok"], made["profile"], made["url"]) == (False, "profile prod", "wss://a/")
    assert made["checks"][0] == {
        "name": "TCP", "outcome": "ok", "sentence": "connected", "remedy": "", "ms": 12.3
    }  # fmt: skip
