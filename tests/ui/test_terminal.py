"""The way out to the terminal."""

from __future__ import annotations

import threading

import pytest
from textual.drivers._writer_thread import MAX_QUEUED_WRITES, WriterThread

from cadenza_tui.ui.terminal import Meter, metered


class Lost:
    """A terminal that goes away at the first word."""

    def __init__(self) -> None:
        self.asked = threading.Event()

    def write(self, _text: str) -> int:
        """Fail as a lost terminal does, once the queue behind is full."""
        self.asked.wait(10)
        raise OSError(5, "Input/output error")

    def flush(self) -> None:
        """Nothing is held."""


class Driver:
    """As much of Textual's driver as writes."""

    def __init__(self, file: Lost) -> None:
        self._writer_thread: WriterThread | None = WriterThread(file)  # type: ignore[arg-type]
        self._writer_thread.start()

    def write(self, data: str) -> None:
        """Hand over to the thread, as Textual does."""
        assert self._writer_thread is not None
        self._writer_thread.write(data)

    def close(self) -> None:
        """Stop the thread, as Textual does."""
        if self._writer_thread is not None:
            self._writer_thread.stop()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_terminal_that_is_lost_holds_nobody_up() -> None:
    """Its thread is gone and the queue full: what is written then is dropped, and closing returns."""
    lost, meter = Lost(), Meter()
    driver = metered(Driver, meter)(lost)  # type: ignore[arg-type]

    def write() -> None:
        for _ in range(MAX_QUEUED_WRITES + 1):
            driver.write("x")
        lost.asked.set()
        for _ in range(MAX_QUEUED_WRITES + 1):
            driver.write("x")
        driver.close()

    writing = threading.Thread(target=write, daemon=True)
    writing.start()
    writing.join(20)
    assert not writing.is_alive()
    assert meter.bytes_written == 2 * (MAX_QUEUED_WRITES + 1)
