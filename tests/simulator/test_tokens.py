"""Connection tokens."""

from __future__ import annotations

import time

import jwt
import pytest

from cadenza_tui.simulator.tokens import (
    Claims,
    ExpiredToken,
    InvalidToken,
    SubscriptionClaims,
    mint,
    mint_subscription,
    new_secret,
    verify,
    verify_subscription,
)

SECRET = new_secret()


def test_a_minted_token_is_accepted() -> None:
    """It names its user and its end, which is left out for a token without one."""
    now = time.time()
    assert verify(SECRET, mint(SECRET, "ada", now=now, ttl=60)) == Claims("ada", int(now + 60))
    assert verify(SECRET, mint(SECRET, now=now, ttl=None, channels=["a", "b"])) == Claims(
        "demo", None, ("a", "b")
    )


def test_a_subscription_token_names_its_channel() -> None:
    """And is no connection token with a user's rights to another channel; a token without one is none."""
    now = time.time()
    token = mint_subscription(SECRET, "market:x", "ada", now=now, ttl=60)
    assert verify_subscription(SECRET, token) == SubscriptionClaims("ada", "market:x", int(now + 60))
    with pytest.raises(ExpiredToken):
        verify_subscription(SECRET, mint_subscription(SECRET, "market:x", now=now, ttl=-5))
    with pytest.raises(InvalidToken):
        verify_subscription(SECRET, mint(SECRET, now=now))


@pytest.mark.parametrize("channels", ["market:x", {"market:x": 1}, [1], 5], ids=str)
def test_channels_that_are_no_list_of_names_are_refused(channels: object) -> None:
    """The token is ours, but says something that cannot be."""
    with pytest.raises(InvalidToken):
        verify(SECRET, jwt.encode({"sub": "ada", "channels": channels}, SECRET, algorithm="HS256"))


def test_a_short_secret_works_without_a_warning() -> None:
    """The user's own choice of a secret is taken as it is."""
    assert verify("s", mint("s", now=time.time())).user == "demo"


def test_an_expired_token_is_told_from_an_invalid_one() -> None:
    """Only the signature's owner hears that it is merely late."""
    late = mint(SECRET, now=time.time() - 100, ttl=10)
    with pytest.raises(ExpiredToken):
        verify(SECRET, late)
    with pytest.raises(InvalidToken):
        verify(new_secret(), late)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "nonsense",
        "a.b.c",
        jwt.encode({"sub": "demo"}, "", algorithm="none"),
        jwt.encode({}, SECRET, algorithm="HS256"),
        jwt.encode({"sub": "demo"}, SECRET * 2, algorithm="HS512"),
    ],
    ids=["empty", "nonsense", "dotted", "unsigned", "no subject", "another algorithm"],
)
def test_anything_else_is_invalid(token: str) -> None:
    """No token, no signature, another algorithm, or no user."""
    with pytest.raises(InvalidToken):
        verify(SECRET, token)
