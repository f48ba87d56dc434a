"""The driver that takes the monitor to the terminal without ever waiting for it.

Textual's driver does everything but the writing, which it leaves to a thread with a queue that blocks the
event loop once it is full. Here a ``Writer`` takes the bytes. The names of Textual's driver that this stands
on are ``_writer_thread``, ``_file`` and ``_loop``; ``tests/ui/test_terminal.py`` fails when they move.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

from textual import events

from cadenza_tui.ui.writer import open_writer

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.driver import Driver
    from textual.drivers._writer_thread import WriterThread
    from textual.message import Message

    from cadenza_tui.ui.writer import Writer

LAST_WORDS_S = 0.3
"""Seconds that a terminal has, on leaving, to take what puts it back as it was."""
REQUEST_ACKNOWLEDGEMENT = "\x1b[6n"
"""Asks where the cursor is. Terminals answer in order, so the answer says that all before has been drawn,
however deep the buffers of an SSH link are."""
CANCEL = "\x18\x1b[?2026l"
"""Ends whatever sequence was cut in two, and a synchronised update that will not be finished."""
PLAIN = "\x1b[m"


class Meter:
    """What has been written to the terminal, in bytes."""

    def __init__(self) -> None:
        self.bytes_written = 0


def unhurried(
    driver_class: type[Driver],
    meter: Meter,
    *,
    drained: Callable[[], object] = lambda: None,
    answered: Callable[[], object] = lambda: None,
    spell: Callable[[str], str] = lambda data: data,
) -> type[Driver]:
    """Return ``driver_class`` with its writes counted on ``meter`` and handed to a writer that never waits.

    ``drained`` is called when a terminal that was busy has taken everything, ``answered`` when it has told
    where the cursor is: each frame has such an answer, which need not go through Textual's queues. ``spell``
    returns what the terminal can show of what is written. On Windows writes are only counted: its console
    takes them at once, and answers are told all the same.
    """

    class AnsweredDriver(driver_class):  # type: ignore[valid-type,misc]
        def process_message(self, message: Message) -> None:
            """Take what the thread that reads keys has read."""
            if isinstance(message, events.CursorPosition):
                self._loop.call_soon_threadsafe(answered)
            else:
                super().process_message(message)

    class CountedDriver(AnsweredDriver):
        def write(self, data: str) -> None:
            data = spell(data)
            meter.bytes_written += len(data) if data.isascii() else len(data.encode())
            super().write(data)

    class UnhurriedDriver(AnsweredDriver):
        out: Writer | None = None

        @property
        def pending(self) -> int:
            """Bytes that the terminal has not taken yet."""
            return 0 if self.out is None else self.out.pending

        def write(self, data: str) -> None:
            """Hand over what is to be written; from the thread that reads keys, through the event loop."""
            if threading.current_thread() is not threading.main_thread():
                self._loop.call_soon_threadsafe(self.write, data)
                return
            if self.out is not None:
                encoded = spell(data).encode(self._file.encoding, "replace")
                meter.bytes_written += len(encoded)
                self.out.write(encoded)

        def start_application_mode(self) -> None:
            self.out = open_writer(self._file.fileno(), self._loop, drained)
            super().start_application_mode()
            thread: WriterThread | None = vars(self)["_writer_thread"]
            self._writer_thread = None
            if thread is not None:  # it has had nothing to do, and ends at once
                thread.stop()

        def stop_application_mode(self) -> None:
            if self.out is None:
                return
            self.write(CANCEL + PLAIN if self.out.drop() else PLAIN)
            super().stop_application_mode()
            self.out.drain(LAST_WORDS_S)

        def close(self) -> None:
            if self.out is not None:
                self.out.close()
                self.out = None
            super().close()

    return CountedDriver if sys.platform == "win32" else UnhurriedDriver


def believe_the_terminal() -> None:
    """Take the size that the terminal tells for true, whatever was exported as ``COLUMNS`` and ``LINES``.

    Those are of another moment, and never change with the window; they count where it tells no size.
    """
    stream = sys.__stdout__
    try:
        told = stream is not None and all(os.get_terminal_size(stream.fileno()))
    except (OSError, ValueError):
        return
    if told:
        for name in ("COLUMNS", "LINES"):
            os.environ.pop(name, None)


def say(text: str) -> None:
    """Write a last word to standard error, and give up soon where that is a terminal which takes none."""
    stream = sys.__stderr__
    if stream is None or not text:
        return
    if not stream.isatty():
        stream.write(text)
        return
    loop = asyncio.new_event_loop()
    writer = open_writer(stream.fileno(), loop)
    try:
        writer.write(text.encode(stream.encoding, "replace"))
        writer.drain(LAST_WORDS_S)
    finally:
        writer.close()
        loop.close()


def is_gone() -> bool:
    """Return whether the terminal we were started on has been taken away."""
    return sys.__stdin__ is None or not os.isatty(sys.__stdin__.fileno())


def hang_up() -> None:
    """End as a hang-up ends a program: there is nobody to read, and reading a lost terminal never waits.

    The kernel sends this signal by itself where the terminal is the controlling one. Under ``nohup``, which
    has it ignored, a screen that is gone for good is no reason to stay either.
    """
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGHUP)
