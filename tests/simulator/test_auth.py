"""The simulator's REST: logins, renewals, and what it refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cadenza_tui.simulator.auth import EMAIL, MAX_SESSIONS, PASSWORD, Auth
from cadenza_tui.simulator.tokens import verify

SECRET = "s" * 32
NOW = 1_900_000_000.0


async def ask(auth: Auth, call: str, **fields: object) -> tuple[int, dict[str, Any]]:
    """Make a call and return status and answer."""
    handler = auth.login if call == "login" else auth.refresh
    status, body = await handler({}, json.dumps(fields).encode())
    return status, json.loads(body)


async def test_a_login_gives_a_session_as_documented() -> None:
    """Every field of it; the access token is one that the server lets in."""
    status, answer = await ask(Auth(SECRET, now=lambda: NOW), "login", email=EMAIL, password=PASSWORD)
    assert (status, answer["success"], answer["errno"]) == (200, True, 0)
    session = answer["data"]
    assert set(session) == {"accessToken", "refreshToken", "tokenType", "expiresIn", "expiresAt", "user"}
    assert (session["expiresIn"], session["expiresAt"]) == (3600, NOW + 3600)
    assert verify(SECRET, session["accessToken"]) == ("demo", NOW + 3600, ())


@pytest.mark.parametrize(
    ("email", "password"), [(EMAIL, "wrong"), ("nobody@example.com", PASSWORD), (EMAIL, "ü")]
)
async def test_wrong_credentials_are_refused_alike(email: str, password: str) -> None:
    """Nobody learns which of the two was wrong."""
    status, answer = await ask(Auth(SECRET), "login", email=email, password=password)
    assert (status, answer) == (401, {"success": False, "errno": 40101, "error": "Invalid login credentials"})


async def test_a_renewal_rotates_the_refresh_token() -> None:
    """Each is good once."""
    auth = Auth(SECRET)
    _, answer = await ask(auth, "login", email=EMAIL, password=PASSWORD)
    seen = {answer["data"]["refreshToken"]}
    for _ in range(3):
        status, answer = await ask(auth, "refresh", refreshToken=answer["data"]["refreshToken"])
        assert status == 200
        seen.add(answer["data"]["refreshToken"])
    assert (len(seen), auth.renewals) == (4, 3)


async def test_a_token_used_twice_ends_its_session_alone() -> None:
    """Whoever has the newer one is out too, and others are not."""
    auth = Auth(SECRET)
    _, mine = await ask(auth, "login", email=EMAIL, password=PASSWORD)
    _, other = await ask(auth, "login", email=EMAIL, password=PASSWORD)
    _, newer = await ask(auth, "refresh", refreshToken=mine["data"]["refreshToken"])
    status, answer = await ask(auth, "refresh", refreshToken=mine["data"]["refreshToken"])
    assert (status, answer["error"]) == (401, "Invalid Refresh Token: Already Used")
    assert (await ask(auth, "refresh", refreshToken=newer["data"]["refreshToken"]))[0] == 401
    assert (await ask(auth, "refresh", refreshToken=other["data"]["refreshToken"]))[0] == 200


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"\xff", b'{"email":1,"password":2}', b"[" * 99_999], ids=range(5)
)
async def test_what_is_no_request_is_answered_with_400(body: bytes) -> None:
    """In the platform's own form."""
    auth = Auth(SECRET)
    for handler in (auth.login, auth.refresh):
        status, answer = await handler({}, body)
        assert (status, json.loads(answer)["success"], json.loads(answer)["errno"]) == (400, False, 40000)


async def test_its_memory_is_bounded() -> None:
    """However often one logs in or renews."""
    auth = Auth(SECRET)
    _, answer = await ask(auth, "login", email=EMAIL, password=PASSWORD)
    for _ in range(MAX_SESSIONS + 10):
        _, answer = await ask(auth, "refresh", refreshToken=answer["data"]["refreshToken"])
        await ask(auth, "login", email=EMAIL, password=PASSWORD)
    assert len(auth._live) <= MAX_SESSIONS
    assert len(auth._spent) <= MAX_SESSIONS


def test_it_answers_under_the_documented_paths() -> None:
    """To POST alone."""
    paths = {("POST", "/api/v3/auth/login"), ("POST", "/api/v3/auth/token/refresh")}
    assert set(Auth(SECRET).routes()) == paths
