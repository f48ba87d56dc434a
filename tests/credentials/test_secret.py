"""A secret shows itself to nobody."""

from __future__ import annotations

import io
import pickle

import pytest
from rich.console import Console
from rich.pretty import pretty_repr
from rich.traceback import Traceback

from cadenza_tui.credentials.rest import Grant
from cadenza_tui.credentials.secret import MASK, Secret
from cadenza_tui.credentials.store import Login

HUSH = "hush-0123456789" * 12


@pytest.mark.parametrize(
    "shown",
    [
        repr(Secret(HUSH)),
        str(Secret(HUSH)),
        f"{Secret(HUSH)}",
        f"{Secret(HUSH)!r:>20}",
        "%s" % Secret(HUSH),  # noqa: UP031
        repr([Secret(HUSH)]),
        pretty_repr({"password": Secret(HUSH)}, max_string=20),
        repr(Grant(Secret(HUSH), Secret(HUSH), 1.0, 1.0)),
        repr(Login("p", "https://x", "w", Secret(HUSH), Secret(HUSH))),
    ],
    ids=lambda text: "",
)
def test_no_way_of_showing_it_shows_it(shown: str) -> None:
    """Not a part of it either, and one sees that there is one."""
    assert "hush" not in shown
    assert MASK in shown


def test_a_traceback_with_locals_does_not_show_it() -> None:
    """Neither as a local nor as a field of one."""
    password = Secret(HUSH)
    login = Login("p", "https://x", "w", password)
    try:
        raise RuntimeError(login.profile, str(password))
    except RuntimeError:
        out = Console(file=io.StringIO(), width=200)
        out.print(Traceback(show_locals=True))
    assert isinstance(out.file, io.StringIO)
    assert "hush-" not in out.file.getvalue()
    assert MASK in out.file.getvalue()


def test_it_is_given_to_who_asks_by_name() -> None:
    """Whole, and equal to the same one only."""
    assert Secret(HUSH).reveal() == HUSH
    assert Secret(HUSH) == Secret(HUSH)
    assert Secret(HUSH) != Secret(HUSH + "x")
    assert Secret(HUSH) != HUSH
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2
    assert not Secret("")


def test_it_is_not_pickled() -> None:
    """A pickle would hold it as it is."""
    with pytest.raises(TypeError):
        pickle.dumps(Secret(HUSH))
