"""Keys: one table for bindings, footer and help."""

from __future__ import annotations

import pytest

from cadenza_tui.ui.desk import View
from cadenza_tui.ui.keys import CYCLE, FOOTERS, GOTO, KEYS, PAIRS, bindings, footer_keys, help_keys
from cadenza_tui.ui.monitor import MonitorScreen
from cadenza_tui.ui.panes import PANES
from cadenza_tui.view.arrangements import VIEWS


def test_no_key_is_bound_twice() -> None:
    """Each key does one thing."""
    keys = [key for binding in bindings() for key in binding.key.split(",")]
    assert sorted(keys) == sorted(set(keys))


def test_every_binding_has_an_action_on_the_screen() -> None:
    """No key leads nowhere."""
    for binding in bindings():
        name = binding.action.partition("(")[0]
        assert hasattr(MonitorScreen, f"action_{name}"), binding.action


def test_every_binding_has_an_id() -> None:
    """A keymap can name each of them."""
    assert all(binding.id for binding in bindings())


def test_no_action_hangs_on_keys_that_terminals_take() -> None:
    """Function keys, alt and shift+arrow are never the only way to an action."""
    ways: dict[str, list[str]] = {}
    for key in KEYS:
        ways.setdefault(key.action, []).extend(key.keys.split(","))
    for view in GOTO.values():
        ways[f"view('{view}')"].append(f"g {view}")
    for action, keys in ways.items():
        free = [key for key in keys if not key.startswith(("f1", "f2", "f3", "f4", "f5", "f6", "alt+"))]
        assert [key for key in free if not key.startswith("shift+") or key == "shift+tab"], action


def test_every_pane_has_a_footer_of_keys_that_are_bound() -> None:
    """What the footer says can be pressed."""
    ids = {key.id for key in KEYS}
    assert set(FOOTERS) == set(PANES) == {pane for panes in VIEWS.values() for pane in panes}
    for pane, hints in FOOTERS.items():
        assert {name for hint in hints for name in hint.ids} <= ids, pane
        assert len(set(hints)) == len(hints), pane


@pytest.mark.parametrize("pane", FOOTERS)
def test_the_help_has_every_key_of_the_table(pane: str) -> None:
    """Each is in a row of its group, alone or with the one that does the contrary."""
    rows = [(keys, group) for keys, _, group in help_keys(pane, "Pane") if "in focus" not in group]
    for key in KEYS:
        assert sum(key.shown in keys and group == key.group for keys, group in rows) >= 1, key.id
    seconds = {pair.second for pair in PAIRS.values()}
    assert len(rows) == len(KEYS) - len(seconds)


def test_the_views_can_be_reached_by_letter_and_in_turn() -> None:
    """``g`` and a letter for each; the next one goes through the presets and is never stuck."""
    assert set(GOTO.values()) == {view.value for view in View}
    assert set(CYCLE) == {view.value for view in View} - {"health"}


def test_direct_keys_turn_choices_that_there_are() -> None:
    """A key that turns a choice names one of that pane; so do the steps of each pane."""
    for key in KEYS:
        if key.action.startswith("turn("):
            pane, name = key.action[5:-1].replace("'", "").split(",")
            assert PANES[pane].choice(name)
    for kind in PANES.values():
        assert all(kind.choice(name) for name in (kind.coarser, kind.more) if name)
        assert len({choice.name for choice in kind.choices}) == len(kind.choices)


def test_the_account_view_has_its_own_footer() -> None:
    """The most wanted first."""
    keys = [key for key, _ in footer_keys("accounts")]
    assert keys[:8] == [".", "s", "f", "0", "v", "b", "right", "g"]


def test_steps_go_by_what_a_value_means() -> None:
    """Intervals by their length, percentiles by number, ``auto`` before all of them; ends are ends."""
    interval = PANES["chart"].choice("interval")
    assert interval.stepped({}, -1)["interval"] == "1s"
    assert interval.stepped({}, 1)["interval"] == "3m"
    assert interval.stepped({"interval": "1M"}, 1)["interval"] == "1M"
    cut = PANES["heat"].choice("cut")
    assert cut.stepped({}, 1)["cut"] == "99.5"
    assert cut.stepped({"cut": "90"}, -1)["cut"] == "90"
    assert PANES["depth"].choice("range").stepped({}, -1)["range"] == "auto"


@pytest.mark.parametrize("pane", FOOTERS)
def test_no_arrow_is_written_where_it_would_read_as_another_key(pane: str) -> None:
    """In ASCII an arrow is a bracket, which makes panes wider: there it is a word, in footer and help."""
    shown = [*footer_keys(pane, arrows=False), *[row[:2] for row in help_keys(pane, "Pane", arrows=False)]]
    assert not [keys for keys, _ in shown if set(keys) & set("←→↑↓")]
    with_time = any("time" in word for _, word in footer_keys(pane))
    assert (("left right", "time") in footer_keys(pane, arrows=False)) is with_time


def test_values_stand_in_an_order_of_their_own() -> None:
    """Numbers ascend, a switch is off and then on, whichever is the default; words stand as they are."""
    depth, queue, bars = (PANES["book"].choice(name) for name in ("depth", "queue", "bars"))
    assert depth.ordered == ("5", "10", "20", "50", "all")
    assert depth.turned({})["depth"] == "50"
    assert depth.turned({"depth": "all"})["depth"] == "5"
    assert queue.of({}) == "on"
    assert queue.ordered == ("off", "on")
    assert bars.ordered == bars.values
