"""Recordings: NDJSON, plain or gzipped, one Centrifugo reply a line plus ``t``, its receive time in ns.

Only publications carry a market; other replies and pushes are passed over. Unknown fields are ignored.
"""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING

import msgspec

from cadenza_tui.errors import RecordingError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import BufferedReader
    from pathlib import Path

MAX_LINE = 32 << 20
_GZIP = b"\x1f\x8b"
_REMEDY = 'a recording is NDJSON (gzipped or not): {"t":ns,"push":{"channel":…,"pub":{…}}} on each line'


class Published(msgspec.Struct, gc=False):
    """The publication of a line; ``data`` is the payload as it stood on the wire."""

    data: msgspec.Raw
    offset: int = 0
    epoch: str = ""


class _Push(msgspec.Struct):
    channel: str = ""
    pub: Published | None = None


class _Line(msgspec.Struct):
    t: int
    push: _Push | None = None


class Recorded(msgspec.Struct, gc=False):
    """One publication as it was received: ``time`` in ns since the epoch."""

    time: int
    channel: str
    publication: Published


_decoder = msgspec.json.Decoder(_Line)


class Recording:
    """An open recording, to iterate over once; a fault raises RecordingError after all that came before."""

    def __init__(self, path: Path, *, max_line: int = MAX_LINE) -> None:
        self.path = path
        self.line = 0
        """The number of the line read last."""
        self._max_line = max_line
        try:
            self._raw: BufferedReader = path.open("rb")
        except FileNotFoundError:
            raise RecordingError(f"{path}: there is no such file") from None
        except OSError as error:
            raise RecordingError(f"{path}: cannot be read: {error.strerror}") from None
        try:
            start = self._raw.peek(2)[:2]
            self._size = path.stat().st_size
        except OSError as error:
            self._raw.close()
            raise RecordingError(f"{path}: cannot be read: {error.strerror}") from None
        self._file = gzip.GzipFile(fileobj=self._raw) if start == _GZIP else self._raw

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        self._raw.close()

    def __enter__(self) -> Recording:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def progress(self) -> float:
        """The share of the file that has been read, 0 to 1."""
        if self._raw.closed or not self._size:
            return 1.0
        return min(1.0, self._raw.tell() / self._size)

    def __iter__(self) -> Iterator[Recorded]:
        while raw := self._readline():
            self.line += 1
            if len(raw) > self._max_line:
                raise self._error(f"longer than {self._max_line:,} bytes", _REMEDY)
            if raw.isspace():
                continue
            try:
                line = _decoder.decode(raw)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
                raise self._fault(raw, error) from None
            push = line.push
            if push is not None and push.pub is not None:
                yield Recorded(line.t, push.channel, push.pub)
        if self.line == 0:
            raise RecordingError(f"{self.path}: empty, not a recording", remedy=_REMEDY)

    def _readline(self) -> bytes:
        try:
            return self._file.readline(self._max_line + 1)
        except EOFError:
            raise RecordingError(
                f"{self.path}: cut short after line {self.line}: the gzip stream has no end",
                remedy="what came before is complete; copy the file again for the rest",
            ) from None
        except (gzip.BadGzipFile, zlib.error) as error:
            raise RecordingError(f"{self.path}: damaged after line {self.line}: {error}") from None
        except OSError as error:
            raise RecordingError(f"{self.path}: cannot be read after line {self.line}: {error}") from None

    def _fault(self, raw: bytes, error: Exception) -> RecordingError:
        if self.line > 1 and not raw.endswith(b"\n"):
            return self._error("cut short", "what came before is complete; copy the file again for the rest")
        if self.line == 1:
            return self._error("not a recording", _REMEDY)
        return self._error(f"not a line of a recording: {error}", _REMEDY)

    def _error(self, sentence: str, remedy: str) -> RecordingError:
        return RecordingError(f"{self.path}:{self.line}: {sentence}", remedy=remedy)
