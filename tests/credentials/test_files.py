"""Files that only their owner can read."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from cadenza_tui.credentials import files
from cadenza_tui.credentials.claims import Rejected
from cadenza_tui.errors import TokenError

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")


def test_a_file_and_its_folder_are_for_the_owner_alone(tmp_path: Path) -> None:
    """Modes 0600 and 0700, whatever the umask is."""
    before = os.umask(0)
    try:
        folder = files.private_folder(tmp_path / "a" / "b")
        files.replace_private(folder / "x", b"secret")
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "x").stat().st_mode) == 0o600
    assert files.read_private(folder / "x", "it", 100) == b"secret"


def test_no_secret_is_written_before_the_mode_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When fchmod is called the file is new and empty."""
    sizes = []
    real = os.fchmod

    def spy(descriptor: int, mode: int) -> None:
        sizes.append((os.fstat(descriptor).st_size, mode))
        real(descriptor, mode)

    monkeypatch.setattr(os, "fchmod", spy)
    files.replace_private(tmp_path / "x", b"secret")
    assert sizes == [(0, 0o600)]


def test_a_replacement_that_fails_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk loses nothing and leaves nothing behind."""
    path = tmp_path / "x"
    files.replace_private(path, b"old")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        files.replace_private(path, b"new")
    assert path.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["x"]


def test_what_a_killed_program_left_is_cleared_away(tmp_path: Path) -> None:
    """Half-written files do not pile up, and those of other logins are not touched."""
    (tmp_path / ".new-0123-x").write_bytes(b"half a secret")
    (tmp_path / ".new-0123-y").write_bytes(b"another's")
    files.replace_private(tmp_path / "x", b"new")
    assert {each.name for each in tmp_path.iterdir()} == {"x", ".new-0123-y"}


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620], ids=oct)
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    """The remedy is the command that closes it."""
    path = tmp_path / "x"
    path.write_bytes(b"secret")
    path.chmod(mode)
    with pytest.raises(Rejected, match="can be read by others") as caught:
        files.read_private(path, "the file", 100)
    assert caught.value.remedy == f"chmod 600 {path}"


def test_a_folder_that_others_can_enter_is_refused(tmp_path: Path) -> None:
    """They could put another file in the place of ours."""
    folder = tmp_path / "logins"
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    with pytest.raises(Rejected, match="can be read by others") as caught:
        files.private_folder(folder)
    assert caught.value.remedy == f"chmod 700 {folder}"


def test_a_file_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its owner could read what is written to it."""
    path = tmp_path / "x"
    files.replace_private(path, b"secret")
    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
    if path.stat().st_uid == 0:  # root's files are as good as one's own
        os.chown(path, 12_345, -1)
    with pytest.raises(Rejected, match="belongs to another user"):
        files.read_private(path, "the file", 100)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """It may lead anywhere."""
    files.replace_private(tmp_path / "real", b"secret")
    (tmp_path / "x").symlink_to(tmp_path / "real")
    with pytest.raises(TokenError, match="cannot be read"):
        files.read_private(tmp_path / "x", "the file", 100)


def test_a_pipe_in_its_place_does_not_hang(tmp_path: Path) -> None:
    """It is refused at once."""
    os.mkfifo(tmp_path / "x", 0o600)
    with pytest.raises(Rejected, match="no plain file"):
        files.read_private(tmp_path / "x", "the file", 100)


def test_a_lock_keeps_other_threads_out(tmp_path: Path) -> None:
    """The second comes in when the first has left."""
    order = []
    inside, leave = threading.Event(), threading.Event()

    def first() -> None:
        with files.locked(tmp_path / "lock"):
            inside.set()
            leave.wait(10)
            order.append("first")

    thread = threading.Thread(target=first)
    thread.start()
    assert inside.wait(10)
    with (
        pytest.raises(TokenError, match="another program has held the lock"),
        files.locked(tmp_path / "lock", timeout_s=0.0),
    ):
        pass
    leave.set()
    with files.locked(tmp_path / "lock"):
        order.append("second")
    thread.join()
    assert order == ["first", "second"]


def test_a_lock_of_a_killed_program_is_free(tmp_path: Path) -> None:
    """The system lets go of it with the process."""
    code = (
        "import pathlib, sys; from cadenza_tui.credentials import files\n"
        "with files.locked(pathlib.Path(sys.argv[1])): print('in', flush=True); sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "lock")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        with pytest.raises(TokenError), files.locked(tmp_path / "lock", timeout_s=0.0):
            pass
        child.kill()
        child.wait()
    with files.locked(tmp_path / "lock", timeout_s=5.0):
        pass
