"""The way out to the terminal: bytes counted, and frames acknowledged by the terminal itself.

After a frame the terminal is asked where its cursor is (``ESC[6n``). It answers in order, so the answer says
that everything before it has been drawn, however deep the buffers of an SSH link are.
"""

from __future__ import annotations

import os
import signal
import sys
from queue import Full
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textual.driver import Driver

LOOK_AGAIN_S = 0.1
"""How often to look whether the thread that writes is still there, while its queue is full."""
REQUEST_ACKNOWLEDGEMENT = "\x1b[6n"


class Meter:
    """What has been written to the terminal, in bytes."""

    def __init__(self) -> None:
        self.bytes_written = 0


def metered(driver_class: type[Driver], meter: Meter) -> type[Driver]:
    """Return ``driver_class`` with its writes counted on ``meter``.

    The thread that writes ends with its terminal, and nothing takes what is queued for it any more: what is
    written then is dropped, where Textual would wait for room for ever, and the program with it.
    """

    class MeteredDriver(driver_class):  # type: ignore[valid-type,misc]
        def write(self, data: str) -> None:
            meter.bytes_written += len(data) if data.isascii() else len(data.encode())
            thread = getattr(self, "_writer_thread", None)
            if thread is None:
                super().write(data)
                return
            _queue(thread, data)

        def close(self) -> None:
            thread = getattr(self, "_writer_thread", None)
            if thread is not None:
                _queue(thread, None)
                thread.join()
                self._writer_thread = None
            super().close()

    return MeteredDriver


def _queue(thread: Any, item: str | None) -> None:
    """Queue what is to be written, None for the end; drop it where the thread that writes is not there."""
    while thread.is_alive():
        try:
            thread._queue.put(item, timeout=LOOK_AGAIN_S)
        except Full:
            continue
        return


def backlog(driver: Any) -> int:
    """Return how many writes wait for the terminal; past 30 Textual would block the event loop."""
    thread = getattr(driver, "_writer_thread", None)
    return 0 if thread is None else thread._queue.qsize()


def is_gone() -> bool:
    """Return whether the terminal we were started on has been taken away."""
    return sys.__stdin__ is None or not os.isatty(sys.__stdin__.fileno())


def hang_up() -> None:
    """End as a hang-up ends a program: there is nobody to read, and reading a lost terminal never waits.

    The kernel sends this signal by itself where the terminal is the controlling one. Under ``nohup``, which
    has it ignored, a screen that is gone for good is no reason to stay either.
    """
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGHUP)
