"""What the protocol's numbers lead to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadenza_tui.centrifugo import codes
from cadenza_tui.centrifugo.codes import Decision, Local


@pytest.mark.parametrize(
    "code",
    [0, 1, 1000, 1001, 1006, 1008, 1010, 2999, 3000, 3012, 3014, 3499, 4000, 4499, 5000, 65535],
)
def test_close_codes_that_lead_to_another_attempt(code: int) -> None:
    """The transport's own codes, 3000–3499, 4000–4499 and from 5000 on are retried."""
    assert codes.decide_close(code) is Decision.RETRY


@pytest.mark.parametrize("code", [1009, 3500, 3501, 3507, 3999, 4500, 4999])
def test_close_codes_that_end_it(code: int) -> None:
    """1009, 3500–3999 and 4500–4999 are terminal."""
    assert codes.decide_close(code) is Decision.TERMINAL


@given(st.integers())
def test_every_integer_has_a_close_decision(code: int) -> None:
    """No code of a server is without a decision and a sentence."""
    assert codes.decide_close(code) in Decision
    assert codes.sentence(code)


@pytest.mark.parametrize("code", [*range(100, 114), 500])
def test_error_replies_are_terminal_unless_temporary_or_expired(code: int) -> None:
    """A server's error ends the matter, but for 109; the temporary flag makes any error worth a retry."""
    expected = Decision.RETRY if code == 109 else Decision.TERMINAL
    assert codes.decide_error(code, temporary=False) is expected
    assert codes.decide_error(code, temporary=True) is Decision.RETRY


@pytest.mark.parametrize("code", list(Local))
def test_local_failures_are_retried(code: int) -> None:
    """A failure on this side of the wire (a timeout, the transport) is retried."""
    assert codes.decide_error(code, temporary=False) is Decision.RETRY


@pytest.mark.parametrize(
    ("code", "decision"), [(0, "terminal"), (2499, "terminal"), (2500, "retry"), (3000, "retry")]
)
def test_unsubscribe_pushes_from_2500_on_ask_for_another_subscribe(code: int, decision: str) -> None:
    """Below 2500 the channel is over."""
    assert codes.decide_unsubscribe(code) == decision


@pytest.mark.parametrize("code", [*range(3500, 3510), 101, 102, 103, 104, 106, 107, 108, 110, 112, 1009])
def test_terminal_codes_carry_a_remedy(code: int) -> None:
    """A person is told what to do, since nothing will happen by itself."""
    assert codes.meaning(code).remedy


def test_unknown_terminal_code_carries_the_servers_words_and_a_remedy() -> None:
    """An application's own code is told by its own reason."""
    assert codes.meaning(4501, "maintenance").sentence == "maintenance"
    assert codes.meaning(4501, "maintenance").remedy
    assert not codes.meaning(4001, "moved").remedy
    assert codes.meaning(4501).sentence == "the server gave code 4501"


def test_sentence_adds_the_servers_words_where_they_say_more() -> None:
    """The table's sentence stands first, the server's reason behind it, once."""
    assert codes.sentence(3503, "maintenance until noon").endswith("(maintenance until noon)")
    assert codes.sentence(3507, "permission denied") == "permission denied"


def test_server_text_loses_control_escape_and_bidirectional_characters() -> None:
    """Nothing a server puts into a reason reaches the terminal as a command to it."""
    assert codes.printable("a\x1b[31mb\x00\u202ec\n" + "x" * 1000) == "a[31mbc" + "x" * 193


@given(st.text())
def test_printable_text_is_printable_and_short(text: str) -> None:
    """Whatever comes in, what goes out can be shown."""
    shown = codes.printable(text)
    assert shown.isprintable()
    assert len(shown) <= 200
