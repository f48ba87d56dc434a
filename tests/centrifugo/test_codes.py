"""What the protocol's numbers lead to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadenza_tui.centrifugo import codes
from cadenza_tui.centrifugo.codes import Decision, Local, Source

R, T = Decision.RETRY, Decision.TERMINAL

CLOSES = {
    0: R, 1: R, 999: R, 1000: R, 1001: R, 1006: R, 1008: R, 1009: T, 1010: R, 2499: R, 2500: R, 2999: R,
    3000: R, 3005: R, 3012: R, 3014: R, 3499: R, 3500: T, 3507: T, 3999: T,
    4000: R, 4499: R, 4500: T, 4999: T, 5000: R, 65535: R,
}  # fmt: skip
UNSUBSCRIBES = {
    0: T, 1000: T, 1009: T, 2000: T, 2499: T, 2500: R, 2501: R, 2502: R, 2999: R,
    3499: R, 3500: R, 3999: R, 4000: R, 4499: R, 4500: R, 4999: R, 5000: R,
}  # fmt: skip
ERRORS = dict.fromkeys((*range(100, 114), 500, 1000, 1009, 2500, 3000, 3500, 4500, 5000), T) | {109: R}


@pytest.mark.parametrize(("code", "decision"), CLOSES.items())
def test_close_codes_decide_by_their_range(code: int, decision: Decision) -> None:
    """1009, 3500–3999 and 4500–4999 are terminal; the transport's own and all others are retried."""
    assert codes.decide(Source.CLOSE, code) is decision


@pytest.mark.parametrize(("code", "decision"), UNSUBSCRIBES.items())
def test_unsubscribe_pushes_from_2500_on_ask_for_another_subscribe(code: int, decision: Decision) -> None:
    """Below 2500 the channel is over."""
    assert codes.decide(Source.UNSUBSCRIBE, code) is decision


@pytest.mark.parametrize(("code", "decision"), ERRORS.items())
def test_error_replies_are_terminal_unless_temporary_or_expired(code: int, decision: Decision) -> None:
    """A server's error ends the matter, but for 109; the temporary flag makes any error worth a retry."""
    assert codes.decide(Source.ERROR, code) is decision
    assert codes.decide(Source.ERROR, code, temporary=True) is R


@pytest.mark.parametrize("code", [*Local, 99])
def test_local_failures_are_retried(code: int) -> None:
    """A failure on this side of the wire (a timeout, the transport) is retried."""
    assert codes.decide(Source.ERROR, code) is R


@pytest.mark.parametrize("code", list(Local))
def test_every_local_failure_has_a_sentence(code: Local) -> None:
    """What happens on this side is told in words, and never by its number."""
    assert codes.LOCAL_CODES[code].sentence


@given(st.sampled_from(Source), st.integers(), st.booleans())
def test_every_integer_has_a_decision(source: Source, code: int, temporary: bool) -> None:
    """No code of a server is without a decision and a sentence."""
    assert codes.decide(source, code, temporary=temporary) in Decision
    assert codes.sentence(code)


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
