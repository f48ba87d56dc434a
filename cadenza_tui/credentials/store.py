"""Where a login is kept between runs: its secrets in the system keyring or in a private file.

A small file says that there is a login, for whom and where its secrets are; so a program that has none asks
no keyring. Whoever changes a login holds its lock: two programs that renew at once would each spend the
refresh token that the other has.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec

from cadenza_tui import paths
from cadenza_tui.credentials import files
from cadenza_tui.credentials.claims import Rejected
from cadenza_tui.credentials.keyrings import KeyringSilent, KeyringUnavailable, SystemKeyring
from cadenza_tui.credentials.secret import Secret
from cadenza_tui.errors import TokenError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_FILE = 65_536
_VERSION = 1
_SUFFIX = ".login"


class Kept(StrEnum):
    """Where the secrets of a login are."""

    KEYRING = "keyring"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Login:
    """A login as it is kept. Times are in s since the epoch by this machine's clock.

    ``who`` is for people, and ``rest`` the one server that the refresh token is sent to.
    """

    profile: str
    rest: str
    who: str
    refresh: Secret
    access: Secret | None = None
    ends: float = 0.0
    lifetime_s: float = 0.0


class _Secrets(msgspec.Struct, omit_defaults=True):
    refresh: str
    access: str | None = None
    ends: float = 0.0
    lifetime: float = 0.0

    def __repr__(self) -> str:
        return "_Secrets()"


class _Record(msgspec.Struct, omit_defaults=True):
    version: int
    profile: str
    rest: str
    who: str
    kept: Kept
    secrets: _Secrets | None = None


@dataclass(frozen=True, slots=True)
class Store:
    """The logins of this user, one for each profile."""

    folder: Path = field(default_factory=paths.logins_folder)
    keyring: SystemKeyring = field(default_factory=SystemKeyring, repr=False)
    use_keyring: bool = True
    """Whether a new login goes to the keyring at all."""

    def profiles(self) -> list[str]:
        """Return the profiles that have a login, without asking any keyring."""
        found = []
        for path in sorted(self.folder.glob(f"*{_SUFFIX}")):
            try:
                record = self._record(path)
            except TokenError:
                continue
            if record is not None:
                found.append(record.profile)
        return found

    def exists(self, profile: str) -> bool:
        """Return whether there is a login, readable or not."""
        return os.path.exists(self.path(profile))  # a folder that is closed to us has none

    def path(self, profile: str) -> Path:
        """Return the file of a profile's login."""
        return self._stem(profile).with_suffix(_SUFFIX)

    def where(self, profile: str) -> str:
        """Say where the secrets of a login are."""
        record = self._record(self.path(profile))
        if record is not None and record.kept is Kept.KEYRING:
            return f"the system keyring ({self.keyring.name()})"
        return f"the file {self.path(profile)}, which only you can read"

    @contextmanager
    def locked(self, profile: str) -> Iterator[None]:
        """Keep every other program from changing the login."""
        files.private_folder(self.folder)
        with files.locked(self._stem(profile).with_suffix(".lock")):
            yield

    def load(self, profile: str) -> Login | None:
        """Return the login of a profile; None where there is none.

        Raises Rejected for one that cannot be used, and TokenError where the keyring does not give it now.
        """
        record = self._record(self.path(profile))
        if record is None or record.profile != profile:
            return None
        secrets = record.secrets
        if record.kept is Kept.KEYRING:
            text = self.keyring.read(_entry(profile))
            if text is None:
                return None
            try:
                secrets = msgspec.json.decode(text.reveal(), type=_Secrets)
            except (msgspec.MsgspecError, RecursionError):
                raise Rejected("what the system keyring holds is no login") from None
        if secrets is None or not secrets.refresh:
            raise Rejected(f"the login file {self.path(profile)} is damaged")
        access = None if secrets.access is None else Secret(secrets.access)
        return Login(
            profile, record.rest, record.who, Secret(secrets.refresh), access, secrets.ends, secrets.lifetime
        )

    def save(self, login: Login, *, anew: bool = False) -> Kept:
        """Keep a login in the place of the one before it; only call it under its lock.

        The one before is only let go when this one is kept. A renewal stays where the login is; one that is
        ``anew`` goes to the keyring where there is one. Raises TokenError where it cannot be kept at all.
        """
        before = None
        try:
            before = self._record(self.path(login.profile))
        except TokenError:
            if not anew:  # else what is damaged, or open to others, is replaced
                raise
        was_in_keyring = before is not None and before.kept is Kept.KEYRING
        if self.use_keyring if anew else was_in_keyring:
            try:
                self._to_keyring(login)
            except KeyringUnavailable:
                pass  # what it holds is spent: from here on the file counts
            else:
                self._write(_record(login, Kept.KEYRING))
                return Kept.KEYRING
        self._write(_record(login, Kept.FILE))
        if anew and was_in_keyring and not self.use_keyring:
            with suppress(KeyringUnavailable):
                self.keyring.forget(_entry(login.profile))
        return Kept.FILE

    def forget(self, profile: str) -> bool:
        """Remove a login under its lock; return whether there was one. Raises TokenError where it stays."""
        path = self.path(profile)
        if not path.exists():
            return False
        try:
            record = self._record(path)
        except Rejected:  # damaged, or not private: it goes all the same
            record = None
        try:
            self.keyring.forget(_entry(profile))
        except KeyringUnavailable:
            if record is not None and record.kept is Kept.KEYRING:
                raise
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise TokenError(f"the login file {path} cannot be removed: {error.strerror}") from None
        return True

    def _to_keyring(self, login: Login) -> None:
        try:
            self.keyring.write(_entry(login.profile), _encoded(login))
        except KeyringSilent:
            raise
        except KeyringUnavailable:
            # Some keyrings hold no more than a line: the refresh token is the one that matters.
            self.keyring.write(
                _entry(login.profile), _encoded(replace(login, access=None, ends=0.0, lifetime_s=0.0))
            )

    def _stem(self, profile: str) -> Path:
        """Return a file name that no other profile has, whatever signs are in the name and on any system."""
        digest = hashlib.sha256(profile.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        return self.folder / f"{quote(profile, safe='', errors='replace').replace('.', '%2E')[:80]}-{digest}"

    def _record(self, path: Path) -> _Record | None:
        raw = files.read_private(path, f"the login file {path}", MAX_FILE)
        if raw is None:
            return None
        try:
            record = msgspec.json.decode(raw, type=_Record)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            raise Rejected(f"the login file {path} is damaged") from None
        if record.version != _VERSION:
            raise Rejected(f"the login file {path} is of another version of the program")
        return record

    def _write(self, record: _Record) -> None:
        path = self.path(record.profile)
        try:
            files.replace_private(path, msgspec.json.encode(record))
        except OSError as error:
            raise TokenError(
                f"the login cannot be kept in {path}: {error.strerror}",
                remedy="make room there, or let it be written",
            ) from None


def _entry(profile: str) -> str:
    return f"login of the profile {profile}"


def _secrets(login: Login) -> _Secrets:
    access = None if login.access is None else login.access.reveal()
    return _Secrets(login.refresh.reveal(), access, login.ends, login.lifetime_s)


def _encoded(login: Login) -> Secret:
    return Secret(msgspec.json.encode(_secrets(login)).decode())


def _record(login: Login, kept: Kept) -> _Record:
    secrets = _secrets(login) if kept is Kept.FILE else None
    return _Record(_VERSION, login.profile, login.rest, login.who, kept, secrets)
