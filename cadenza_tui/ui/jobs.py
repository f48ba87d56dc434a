"""Job control: stop as ``ctrl+z`` stops a program, and whether the terminal is ours."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress


def stop(*, group: bool) -> None:
    """Be stopped by the terminal's own signal, alone or with the whole job; return once continued.

    The default action is what a shell, or the script in between, waits for. Where no shell could continue us,
    as under ``ssh host cadenza-tui``, the system passes this signal over, which it would not do with SIGSTOP.
    """
    held = {number: signal.getsignal(number) for number in (signal.SIGTSTP, signal.SIGCONT)}
    for number in held:
        signal.signal(number, signal.SIG_DFL)
    try:
        os.kill(0 if group else os.getpid(), signal.SIGTSTP)
    finally:
        for number, handler in held.items():
            signal.signal(number, handler)


def in_foreground() -> bool:
    """Return whether the terminal's foreground job is ours, or it is no terminal that has jobs."""
    stream = sys.__stderr__
    with suppress(OSError, ValueError):
        return stream is None or os.tcgetpgrp(stream.fileno()) == os.getpgrp()
    return True
