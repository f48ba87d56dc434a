"""The system's keyring, where there is one that keeps secrets and answers in time."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Protocol, TypeVar

from cadenza_tui.credentials.secret import Secret
from cadenza_tui.errors import TokenError
from cadenza_tui.paths import APP

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

TIMEOUT_S = 20.0
"""Long enough for a person to unlock it when it asks, short enough not to wait for a broken one for ever."""
_NO_KEYRINGS = ("keyring.backends.null", "keyring.backends.fail", "keyrings.alt", "keyrings.cryptfile")
"""Backends that keep nothing, keep it in plain files, or ask for a password on the terminal."""

Result = TypeVar("Result")


class Keyring(Protocol):
    """What is wanted of the library's backends."""

    name: str

    def get_password(self, service: str, username: str) -> str | None: ...
    def set_password(self, service: str, username: str, password: str) -> None: ...
    def delete_password(self, service: str, username: str) -> None: ...


class KeyringUnavailable(TokenError):
    """There is no keyring, or it does not do its work."""


class KeyringSilent(KeyringUnavailable):
    """The keyring did not answer in time."""


class SystemKeyring:
    """The keyring of the system, opened when it is first wanted. Every method raises KeyringUnavailable."""

    def __init__(
        self, timeout_s: float = TIMEOUT_S, find: Callable[[], Keyring | None] | None = None
    ) -> None:
        self._timeout_s = timeout_s
        self._find = find or find_keyring

    def name(self) -> str:
        """Return what the keyring calls itself."""
        return self._within(lambda keyring: keyring.name)

    def read(self, entry: str) -> Secret | None:
        """Return what is kept under ``entry``."""

        def read(keyring: Keyring) -> Secret | None:
            text = keyring.get_password(APP, entry)
            return None if text is None else Secret(text)

        return self._within(read)

    def write(self, entry: str, secret: Secret) -> None:
        """Keep ``secret`` under ``entry``, and make sure of it: some backends cut long texts silently."""

        def write(keyring: Keyring) -> bool:
            keyring.set_password(APP, entry, secret.reveal())
            return keyring.get_password(APP, entry) == secret.reveal()

        if not self._within(write):
            raise KeyringUnavailable("the system keyring did not keep what it was given")

    def forget(self, entry: str) -> None:
        """Remove ``entry``; it may be gone already."""

        def forget(keyring: Keyring) -> None:
            if keyring.get_password(APP, entry) is not None:
                keyring.delete_password(APP, entry)

        self._within(forget)

    def _within(self, work: Callable[[Keyring], Result]) -> Result:
        """Do ``work`` in a thread that can be given up: a keyring may wait for a person, or for ever."""
        outcome: Future[Result] = Future()

        def run() -> None:
            try:
                keyring = self._find()
                if keyring is None:
                    raise KeyringUnavailable("there is no system keyring")
                outcome.set_result(work(keyring))
            except BaseException as error:  # whatever it is, it belongs to the caller
                outcome.set_exception(error)

        threading.Thread(target=run, name="keyring", daemon=True).start()
        try:
            return outcome.result(self._timeout_s)
        except KeyringUnavailable:
            raise
        except BaseException as error:
            if not outcome.done():
                if not isinstance(error, TimeoutError):  # ctrl+c
                    raise
                raise KeyringSilent(
                    f"the system keyring did not answer within {self._timeout_s:g} s",
                    remedy="unlock it and try again, or log in with --no-keyring",
                ) from None
            # The text of a backend's own error may hold anything at all.
            raise KeyringUnavailable(f"the system keyring failed ({type(error).__name__})") from None


def find_keyring() -> Keyring | None:
    """Return the system's keyring; None where there is none that keeps secrets secret."""
    import keyring  # noqa: PLC0415  # it looks for plug-ins and for the session bus: only where it is wanted
    from keyring.backends.chainer import ChainerBackend  # noqa: PLC0415

    found = keyring.get_keyring()
    candidates: Iterable[object] = found.backends if isinstance(found, ChainerBackend) else (found,)
    return next((each for each in candidates if keeps_secrets(each)), None)  # type: ignore[return-value]


def keeps_secrets(backend: object) -> bool:
    """Return whether a backend is a keyring in earnest."""
    module = type(backend).__module__
    if any(module == name or module.startswith(f"{name}.") for name in _NO_KEYRINGS):
        return False
    return getattr(backend, "priority", 0) >= 1
