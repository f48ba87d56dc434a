"""Debian's own ``sshd`` on a loopback port, with keys and a configuration made for one test."""

from __future__ import annotations

import getpass
import grp
import os
import pty
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
SSH, KEYGEN = shutil.which("ssh"), shutil.which("ssh-keygen")
PRIVILEGE_SEPARATION = Path("/run/sshd")
"""Where root's sshd locks its unprivileged half in; Debian makes it when the service starts."""
READY_WITHIN_S = 10.0


def obstacle() -> str:
    """Return why no session with a terminal can be had on this system, nothing where one can."""
    needed = (("sshd", SSHD), ("ssh", SSH), ("ssh-keygen", KEYGEN))
    missing = [name for name, path in needed if path is None]
    if missing:
        return f"there is no {', '.join(missing)}: install openssh-server"
    if os.geteuid() == 0:
        return ""
    master, slave = pty.openpty()
    own = os.fstat(slave).st_gid
    os.close(master)
    os.close(slave)
    wanted = next((group.gr_gid for group in grp.getgrall() if group.gr_name == "tty"), own)
    return "" if own == wanted else "terminals are not of the group tty: sshd must be root to have one"


class Host(NamedTuple):
    """A host that can be reached with ``ssh``; ``server`` is its sshd's process id."""

    server: int
    arguments: tuple[str, ...]

    def command(self, *remote: str) -> list[str]:
        """Return the command that runs ``remote`` there in a terminal of its own."""
        return [str(SSH), "-tt", *self.arguments, *remote]


@contextmanager
def host(folder: Path, environment: Mapping[str, str]) -> Iterator[Host]:
    """Run sshd as long as the block lasts; sessions have these variables, as if the user's profile set them.

    Raises:
        AssertionError: it did not start; carries what it said.
    """
    folder.mkdir(mode=0o700)
    for name in ("host", "user"):
        _run([str(KEYGEN), "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)])
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    public = (folder / "host.pub").read_text().split()
    (folder / "known").write_text(f"[127.0.0.1]:{port} {public[0]} {public[1]}\n")
    shutil.copy(folder / "user.pub", folder / "authorized")
    variables = " ".join(f'"{name}={value}"' for name, value in environment.items())
    (folder / "config").write_text(
        f"""\
ListenAddress 127.0.0.1:{port}
HostKey {folder / "host"}
AuthorizedKeysFile {folder / "authorized"}
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
PrintMotd no
PrintLastLog no
SetEnv {variables}
"""
    )
    if os.geteuid() == 0:
        PRIVILEGE_SEPARATION.mkdir(mode=0o755, exist_ok=True)
    log = folder / "log"
    with log.open("wb") as said:
        server = subprocess.Popen([str(SSHD), "-D", "-e", "-f", str(folder / "config")], stderr=said)
    try:
        _wait_for(port, server, log)
        options = ("StrictHostKeyChecking=yes", f"UserKnownHostsFile={folder / 'known'}", "BatchMode=yes")
        yield Host(
            server.pid,
            (
                *("-F", "none", "-i", str(folder / "user"), "-p", str(port)),
                *(word for option in (*options, "LogLevel=ERROR") for word in ("-o", option)),
                f"{getpass.getuser()}@127.0.0.1",
            ),
        )
    finally:
        server.terminate()
        server.wait()


def _wait_for(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + READY_WITHIN_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            said = f"sshd did not start: {log.read_text()}"
            assert server.poll() is None, said
            assert time.monotonic() < end, said
            time.sleep(0.02)  # another process: it has no event to be awaited here
        else:
            return


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=20)
