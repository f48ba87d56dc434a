"""Where a login is kept, and that none is lost."""

from __future__ import annotations

import os
import stat
import threading
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadenza_tui.credentials.claims import Rejected
from cadenza_tui.credentials.keyrings import KeyringUnavailable, SystemKeyring, keeps_secrets
from cadenza_tui.credentials.secret import Secret
from cadenza_tui.credentials.store import Kept, Login, Store
from cadenza_tui.errors import TokenError

from .support import MemoryKeyring, file_store

if TYPE_CHECKING:
    from pathlib import Path

    from cadenza_tui.credentials.keyrings import Keyring


def login(refresh: str, profile: str = "desk") -> Login:
    """Return a login with a refresh token."""
    return Login(profile, "https://rest.example", "t…@x.example", Secret(refresh), Secret("a.b.c"), 5.0, 3.0)


def keyring_store(tmp_path: Path, keyring: Keyring) -> Store:
    """Return a store on a system with this keyring."""
    return Store(tmp_path / "logins", SystemKeyring(find=lambda: keyring))


def save(store: Store, what: Login, *, anew: bool = False) -> Kept:
    """Save under the lock, as every writer does."""
    with store.locked(what.profile):
        return store.save(what, anew=anew)


def test_without_a_keyring_it_is_a_private_file(tmp_path: Path) -> None:
    """Mode 0600, and it comes back as it was."""
    store = file_store(tmp_path)
    assert save(store, login("r1"), anew=True) is Kept.FILE
    assert store.load("desk") == login("r1")
    assert stat.S_IMODE(store.path("desk").stat().st_mode) == 0o600
    assert store.profiles() == ["desk"]


def test_with_a_keyring_the_file_has_no_secret(tmp_path: Path) -> None:
    """It says that there is a login; the keyring has the tokens."""
    keyring = MemoryKeyring()
    store = keyring_store(tmp_path, keyring)
    assert save(store, login("refresh-1"), anew=True) is Kept.KEYRING
    assert store.load("desk") == login("refresh-1")
    text = store.path("desk").read_text()
    assert "refresh-1" not in text
    assert "a.b.c" not in text
    assert "refresh-1" in next(iter(keyring.kept.values()))
    assert store.where("desk") == "the system keyring (memory)"


def test_a_store_that_has_nothing_asks_no_keyring(tmp_path: Path) -> None:
    """A start without a login does not wake the session bus."""

    def never() -> Keyring:
        raise AssertionError

    store = Store(tmp_path / "logins", SystemKeyring(find=never))
    assert (store.exists("desk"), store.load("desk"), store.profiles()) == (False, None, [])


def test_a_renewal_stays_where_the_login_is(tmp_path: Path) -> None:
    """A login in a file is not moved to a keyring that has appeared since."""
    save(file_store(tmp_path), login("r1"), anew=True)
    keyring = MemoryKeyring()
    store = keyring_store(tmp_path, keyring)
    assert save(store, login("r2")) is Kept.FILE
    assert not keyring.kept
    assert save(store, login("r3"), anew=True) is Kept.KEYRING
    assert store.load("desk") == login("r3")


def test_a_keyring_that_fails_in_between_costs_no_token(tmp_path: Path) -> None:
    """The renewed token goes to the file, and is what counts from then on."""
    keyring = MemoryKeyring()
    store = keyring_store(tmp_path, keyring)
    save(store, login("r1"), anew=True)

    def locked(_service: str, _username: str, _password: str) -> None:
        raise RuntimeError("locked")

    keyring.set_password = locked  # type: ignore[method-assign, assignment]
    assert save(store, login("r2")) is Kept.FILE
    assert store.load("desk") == login("r2")


def test_a_keyring_that_cuts_long_texts_still_keeps_the_refresh_token(tmp_path: Path) -> None:
    """The access token can be had again, so it is left out."""

    class Short(MemoryKeyring):
        def set_password(self, service: str, username: str, password: str) -> None:
            super().set_password(service, username, password[:40])

    store = keyring_store(tmp_path, Short())
    assert save(store, login("r1"), anew=True) is Kept.KEYRING
    kept = store.load("desk")
    assert kept is not None
    assert (kept.refresh, kept.access) == (Secret("r1"), None)


def test_a_new_login_can_decline_the_keyring(tmp_path: Path) -> None:
    """What the keyring has of an older one goes."""
    keyring = MemoryKeyring()
    save(keyring_store(tmp_path, keyring), login("r1"), anew=True)
    store = Store(tmp_path / "logins", SystemKeyring(find=lambda: keyring), use_keyring=False)
    assert save(store, login("r2"), anew=True) is Kept.FILE
    assert not keyring.kept
    assert store.load("desk") == login("r2")


def test_a_hanging_keyring_is_given_up(tmp_path: Path) -> None:
    """A new login goes to the file; an old one in it is an error with what to do."""
    release = threading.Event()

    class Hanging(MemoryKeyring):
        def get_password(self, service: str, username: str) -> str | None:
            release.wait(30)
            return super().get_password(service, username)

    hanging = Store(tmp_path / "logins", SystemKeyring(0.05, find=Hanging))
    try:
        assert save(hanging, login("r1"), anew=True) is Kept.FILE
        save(keyring_store(tmp_path, MemoryKeyring()), login("r2"), anew=True)
        with pytest.raises(KeyringUnavailable, match=r"did not answer within 0.05 s") as caught:
            hanging.load("desk")
        assert "unlock it" in (caught.value.remedy or "")
    finally:
        release.set()


def test_the_words_of_a_keyrings_error_are_not_passed_on(tmp_path: Path) -> None:
    """They may hold what was to be kept."""

    class Talking(MemoryKeyring):
        def set_password(self, service: str, username: str, password: str) -> None:
            raise ValueError(f"cannot keep {password}")

    with pytest.raises(KeyringUnavailable, match=r"failed \(ValueError\)") as caught:
        SystemKeyring(find=Talking).write("x", Secret("hush"))
    assert "hush" not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("module", "priority", "good"),
    [
        ("keyring.backends.SecretService", 5, True),
        ("keyring.backends.macOS", 5, True),
        ("keyring.backends.fail", 0, False),
        ("keyring.backends.null", -1, False),
        ("keyrings.alt.file", 0.5, False),
        ("keyrings.alt.file", 9, False),
        ("keyrings.cryptfile.cryptfile", 2, False),
        ("of_somebody", 0.5, False),
    ],
)
def test_only_a_keyring_in_earnest_counts(module: str, priority: float, good: bool) -> None:
    """One that fails, forgets or writes plain files is none."""
    backend = type("Backend", (), {"__module__": module, "priority": priority})()
    assert keeps_secrets(backend) is good


def test_the_library_finds_no_keyring_where_it_is_told_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """The null backend, which is how one turns keyrings off, is none."""
    import keyring
    from keyring.backends import null

    before = keyring.get_keyring()
    keyring.set_keyring(null.Keyring())  # type: ignore[no-untyped-call]
    try:
        with pytest.raises(KeyringUnavailable, match="there is no system keyring"):
            SystemKeyring().read("x")
    finally:
        keyring.set_keyring(before)


def test_forgetting_removes_file_and_entry(tmp_path: Path) -> None:
    """Nothing of it is left, and a second time there is nothing to do."""
    keyring = MemoryKeyring()
    store = keyring_store(tmp_path, keyring)
    save(store, login("r1"), anew=True)
    with store.locked("desk"):
        assert store.forget("desk")
        assert not store.forget("desk")
    assert not keyring.kept
    assert store.load("desk") is None


def test_what_the_keyring_keeps_is_not_said_to_be_forgotten(tmp_path: Path) -> None:
    """While the keyring does not answer the login stays, and it can be tried again."""
    keyring = MemoryKeyring()
    save(keyring_store(tmp_path, keyring), login("r1"), anew=True)
    without = file_store(tmp_path)
    with without.locked("desk"), pytest.raises(KeyringUnavailable):
        without.forget("desk")
    assert without.exists("desk")


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"\xff", b"[" * 9_000, b'{"version":9}', b"x" * 70_000], ids=range(6)
)
def test_a_damaged_file_is_said_and_replaced_by_a_new_login(tmp_path: Path, content: bytes) -> None:
    """It is never taken for a login, and never in the way of one."""
    store = file_store(tmp_path)
    save(store, login("r1"), anew=True)
    store.path("desk").write_bytes(content)
    with pytest.raises(Rejected, match=r"is damaged|another version"):
        store.load("desk")
    save(store, login("r2"), anew=True)
    assert store.load("desk") == login("r2")


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")
def test_a_login_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """With the command that closes it; a new login closes it too."""
    store = file_store(tmp_path)
    save(store, login("r1"), anew=True)
    store.path("desk").chmod(0o644)
    with pytest.raises(Rejected, match="can be read by others") as caught:
        store.load("desk")
    assert caught.value.remedy == f"chmod 600 {store.path('desk')}"
    save(store, login("r2"), anew=True)
    assert stat.S_IMODE(store.path("desk").stat().st_mode) == 0o600


NAMES = ["prod", "Prod", "a/b", "..", ".", "../x", "x" * 300, "ü\u202e", "a b", "con", "%2E"]


def test_every_profile_has_a_file_of_its_own(tmp_path: Path) -> None:
    """Whatever its name is, inside the folder, and also where case does not count."""
    store = file_store(tmp_path)
    paths = [store.path(name) for name in NAMES]
    assert len({str(path).lower() for path in paths}) == len(NAMES)
    assert all(path.parent == store.folder and len(path.name) < 200 for path in paths)
    for name in NAMES:
        save(store, login(f"r-{name}", name), anew=True)
    assert all(store.load(name) == login(f"r-{name}", name) for name in NAMES)
    assert sorted(store.profiles()) == sorted(NAMES)


@given(st.text(), st.text())
def test_two_names_never_share_a_file(one: str, other: str) -> None:
    """Two profiles' logins do not overwrite each other."""
    from pathlib import Path

    store = Store(Path("logins"), SystemKeyring(find=lambda: None))
    assert (store.path(one) == store.path(other)) is (one == other)


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    """A file stands in its place."""
    (tmp_path / "logins").write_text("")
    with pytest.raises(TokenError, match="is no folder"), file_store(tmp_path).locked("desk"):
        pass


def test_a_keyring_answers_at_once_where_it_can() -> None:
    """The time limit is a limit, not a wait."""
    started = time.monotonic()
    SystemKeyring(30.0, find=MemoryKeyring).write("x", Secret("y"))
    assert time.monotonic() - started < 10
