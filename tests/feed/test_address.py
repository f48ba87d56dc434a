"""Which addresses are accepted, and what of them is shown."""

from __future__ import annotations

import pytest

from cadenza_tui.errors import ConfigError
from cadenza_tui.feed import address


@pytest.mark.parametrize(
    "url",
    [
        "wss://cadenza-ws.algo724.com/connection/websocket",
        "ws://127.0.0.1:8000/connection/websocket",
        "ws://localhost:8000/",
        "ws://[::1]:8000/connection/websocket",
    ],
)
def test_encrypted_and_loopback_addresses_are_accepted(url: str) -> None:
    """They come back as they are."""
    assert address.check(url) == url


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("https://host/", "begins with wss://"),
        ("host:8000", "begins with wss://"),
        ("wss://", "names no host"),
        ("wss://host:99999/", "not a URL"),
        ("wss://host/a b", "not a usable URL"),
        ("wss://host/\x1b[2J", "not a usable URL"),
        ("wss://[::1/", "not a URL"),
        ("ws://example.com/", "unencrypted"),
        ("ws://10.0.0.1:8000/", "unencrypted"),
        ("ws://localhost.example.com/", "unencrypted"),
        ("wss://host/" + "x" * 3_000, "too long"),
    ],
)
def test_others_are_refused_with_a_remedy(url: str, says: str) -> None:
    """The sentence says what is wrong, the remedy what would be right."""
    with pytest.raises(ConfigError, match=says) as caught:
        address.check(url)
    assert caught.value.remedy


def test_an_unencrypted_address_can_be_insisted_on() -> None:
    """The profile's allow_insecure lets it pass."""
    assert address.check("ws://10.0.0.1:8000/", allow_insecure=True) == "ws://10.0.0.1:8000/"


@pytest.mark.parametrize(
    ("url", "taken"),
    [
        ("https://cadenza-api.algo724.com", "https://cadenza-api.algo724.com"),
        ("https://host:8443/base/", "https://host:8443/base"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_where_to_log_in_is_encrypted_or_this_machine(url: str, taken: str) -> None:
    """It comes back ready for a path behind it."""
    assert address.check_rest(url) == taken


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("wss://host/", "begins with https://"),
        ("host", "begins with https://"),
        ("http://example.com", "unencrypted"),
        ("http://10.0.0.1:8000", "unencrypted"),
        ("http://localhost.example.com", "unencrypted"),
        ("https://", "names no host"),
        ("https://host:0", "names no host"),
        ("https://host:99999", "not a URL"),
        ("https://user:hush@host", "has no user"),
        ("https://host/?key=hush", "has no user, no query"),
        ("https://host/#hush", "has no user, no query"),
        ("https://host/a b", "not a usable URL"),
    ],
)
def test_where_not_to_log_in_is_said_with_a_remedy(url: str, says: str) -> None:
    """And without what may be a secret in it."""
    with pytest.raises(ConfigError, match=says) as caught:
        address.check_rest(url)
    assert caught.value.remedy
    assert "hush" not in str(caught.value)


def test_a_password_over_an_unencrypted_line_can_be_insisted_on() -> None:
    """The profile's allow_insecure lets it pass."""
    assert address.check_rest("http://10.0.0.1:8000", allow_insecure=True) == "http://10.0.0.1:8000"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("wss://user:secret@host:1/path?token=secret#secret", "wss://host:1/path"),
        ("ws://[::1]:8000/x", "ws://[::1]:8000/x"),
        ("wss://[", "(not a URL)"),
    ],
)
def test_what_is_shown_has_no_secrets(url: str, shown: str) -> None:
    """User, password, query and fragment are left out."""
    assert address.shown(url) == shown
