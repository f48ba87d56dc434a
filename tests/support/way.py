"""One direction of a link, reckoned: when each byte that goes into it comes out. Time is passed in."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass


@dataclass
class Segment:
    """Bytes on their way: the first one leaves the buffer at ``start``, the others ``per_byte`` apart."""

    start: float
    per_byte: float
    data: bytes
    written: float
    arrived: int = 0

    def reached(self, at: float) -> int:
        """Return how many bytes have left the buffer by then."""
        if at < self.start:
            return 0
        if not self.per_byte:
            return len(self.data)
        return min(int((at - self.start) / self.per_byte + 1e-9), len(self.data))


class Way:
    """One direction: a buffer that is emptied at ``rate`` bytes a second (None: at once), then a delay.

    What is put in at once arrives byte by byte, or ``whole``, as keys and answers do in their packets.
    """

    def __init__(self, rate: float | None, delay: float, *, whole: bool = False) -> None:
        self._whole = whole
        self._per_byte = 1 / rate if rate else 0.0
        self._delay = delay
        self._free = float("-inf")
        self._segments: deque[Segment] = deque()
        self._held: list[tuple[bytes, float]] | None = None

    def put(self, data: bytes, now: float) -> None:
        """Take bytes into the buffer."""
        if self._held is not None:
            self._held.append((data, now))
        else:
            self._queue(data, now, written=now)

    def _queue(self, data: bytes, now: float, written: float) -> None:
        start = max(now, self._free)
        self._segments.append(Segment(start, self._per_byte, data, written))
        self._free = start + len(data) * self._per_byte

    def waiting(self, now: float) -> int:
        """Return how many bytes have not left the buffer."""
        if self._held is not None:
            return sum(len(data) for data, _ in self._held)
        return round((self._free - now) / self._per_byte) if self._per_byte and self._free > now else 0

    def stop(self, now: float) -> None:
        """Let nothing leave the buffer from now on; what has left it still arrives."""
        if self._held is not None:
            return
        self._held = []
        for segment in self._segments:
            left = segment.reached(now)
            if left < len(segment.data):
                self._held.append((segment.data[left:], segment.written))
                segment.data = segment.data[:left]

    def go(self, now: float) -> None:
        """Let bytes leave the buffer again."""
        if self._held is None:
            return
        held, self._held = self._held, None
        self._free = now
        for data, written in held:
            self._queue(data, now, written)

    def due(self) -> float:
        """Return when the next byte arrives."""
        for segment in self._segments:
            if segment.arrived < len(segment.data):
                count = len(segment.data) if self._whole else segment.arrived + 1
                return self.arrival(segment, count)
        return float("inf")

    def take(self, now: float) -> list[tuple[Segment, bytes]]:
        """Return what has arrived since the last call, segment by segment."""
        taken = []
        while self._segments:
            segment = self._segments[0]
            reached = segment.reached(now - self._delay)
            if self._whole and reached < len(segment.data):
                break
            if reached > segment.arrived:
                taken.append((segment, segment.data[segment.arrived : reached]))
                segment.arrived = reached
            if segment.arrived < len(segment.data):
                break
            self._segments.popleft()
        return taken

    def arrival(self, segment: Segment, count: int) -> float:
        """Return when the ``count``-th byte of a segment arrives."""
        return segment.start + count * segment.per_byte + self._delay
