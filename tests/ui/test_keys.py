"""Keys: one table for bindings, footer and help."""

from __future__ import annotations

from cadenza_tui.ui.keys import KEYS, bindings, footer_keys
from cadenza_tui.ui.monitor import MonitorScreen


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
    """Function keys, alt and shift+arrow are never the only way."""
    for key in KEYS:
        ways = [
            way for way in key.keys.split(",") if not way.startswith(("f1", "f2", "f3", "alt+", "shift+"))
        ]
        goto = key.id.startswith("view-")
        assert ways or goto or key.id == "focus-previous"


def test_the_footer_shows_what_is_bound() -> None:
    """A key in the footer is a key of the table."""
    shown = {key.shown for key in KEYS}
    for account in (False, True):
        assert all(key in shown for key, _ in footer_keys(account=account))


def test_the_account_view_has_its_own_footer() -> None:
    """The most wanted first."""
    keys = [key for key, _ in footer_keys(account=True)]
    assert keys == [".", "s", "f", "0", "v", "b", "right", "g"]
