"""What is examined, and what earlier checks have learnt of it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from pathlib import Path

    from cadenza_tui.credentials.secret import Secret
    from cadenza_tui.credentials.sources import Source
    from cadenza_tui.doctor.server import Probe
    from cadenza_tui.wire.channels import Templates


@dataclass(frozen=True, slots=True)
class Target:
    """The server that is meant, as configuration and command line have it. ``url`` has been checked."""

    label: str
    url: str
    config: Path
    config_exists: bool
    templates: Templates
    instruments: tuple[str, ...] = ()
    trust: ssl.SSLContext | None = None
    """Whose certificates are trusted, where not the system's authorities."""
    token: Callable[[], Source | None] = lambda: None
    token_needed: bool = True
    how: str = ""
    """How to come by a token."""


@dataclass
class Subject:
    """Carried from check to check. ``find`` tells the target, raising CadenzaError where it cannot.

    ``clock`` is in s since the epoch; ``quickly`` bounds what waits for the network, in s.
    """

    find: Callable[[], Target]
    clock: Callable[[], float] = time.time
    quickly: float = 5.0
    found: Target | None = None
    secret: Secret | None = field(default=None, repr=False)
    """The token."""
    addresses: list[str] = field(default_factory=list)
    proxied: str = ""
    """The proxy that the environment puts in between, "" for none."""
    probe: Probe | None = None
    listed: list[str] = field(default_factory=list)
    """The instruments that the server lists."""

    @property
    def target(self) -> Target:
        """The target, once it is known."""
        if self.found is None:
            raise RuntimeError("checks that need the configuration run after it")
        return self.found

    @property
    def connection(self) -> Probe:
        """The connection, once there is one."""
        if self.probe is None:
            raise RuntimeError("checks that need a connection run after it")
        return self.probe
