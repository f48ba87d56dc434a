"""Reading recordings, good and bad."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from cadenza_tui.errors import RecordingError
from cadenza_tui.feed.recording import Recording

if TYPE_CHECKING:
    from pathlib import Path


def line(t: int, channel: str = "market:trade:X:A/B", **pub: Any) -> str:
    """Return a line of a recording."""
    return json.dumps({"t": t, "push": {"channel": channel, "pub": {"data": {"n": t}, **pub}}}) + "\n"


def write(path: Path, text: str | bytes, *, zipped: bool = False) -> Path:
    """Write a recording."""
    raw = text.encode() if isinstance(text, str) else text
    path.write_bytes(gzip.compress(raw) if zipped else raw)
    return path


def times(path: Path) -> list[int]:
    """Return what can be read, and -1 for a fault that names the file."""
    read: list[int] = []
    with Recording(path) as recording:
        try:
            read.extend(entry.time for entry in recording)
        except RecordingError as error:
            read.append(-1 if str(error).startswith(str(path)) else -2)
    return read


@pytest.mark.parametrize("zipped", [False, True])
def test_lines_come_in_order_with_their_payloads(tmp_path: Path, zipped: bool) -> None:
    """Time, channel, offset and raw payload are those of the line, whatever the file is called."""
    path = write(tmp_path / "any.name", line(1, offset=7, epoch="e") + line(2), zipped=zipped)
    with Recording(path) as recording:
        first, second = recording
    assert (first.time, first.channel, first.publication.offset) == (1, "market:trade:X:A/B", 7)
    assert (first.publication.epoch, bytes(first.publication.data)) == ("e", b'{"n": 1}')
    assert second.time == 2


def test_other_replies_and_blank_lines_are_passed_over(tmp_path: Path) -> None:
    """Only publications carry a market, and unknown fields are no fault."""
    text = '{"t":1,"id":2,"subscribe":{}}\n\n{"t":2}\n{"t":3,"push":{"channel":"c","join":{}}}\n' + line(4)
    assert times(write(tmp_path / "r", text)) == [4]


def test_a_gzip_that_is_cut_short_says_after_which_line(tmp_path: Path) -> None:
    """Everything before the cut is delivered first."""
    whole = gzip.compress("".join(line(n) for n in range(5_000)).encode())
    path = write(tmp_path / "r.ndjson.gz", whole[: len(whole) // 2])
    seen = 0
    with Recording(path) as recording, pytest.raises(RecordingError, match="cut short after line") as caught:
        for entry in recording:
            assert entry.time == seen
            seen += 1
    assert seen > 1_000
    assert f"line {seen}:" in str(caught.value)
    assert caught.value.remedy


def test_a_last_line_that_is_cut_short_is_named(tmp_path: Path) -> None:
    """File and line stand in the sentence."""
    path = write(tmp_path / "r", line(1) + line(2)[:30])
    with Recording(path) as recording, pytest.raises(RecordingError, match=r"r:2: cut short"):
        list(recording)
    assert times(path) == [1, -1]


@pytest.mark.parametrize(
    "content", [b"hello\n", b"\x00\x01\x02", b"[1,2]\n", b'{"a":1}\n', b'{"t":"soon"}\n', b"\xff\xff\n"]
)
def test_another_kind_of_file_is_no_recording(tmp_path: Path, content: bytes) -> None:
    """The sentence says so and the remedy says what a recording is."""
    path = write(tmp_path / "r", content)
    with Recording(path) as recording, pytest.raises(RecordingError, match="r:1: not a recording") as caught:
        list(recording)
    assert "NDJSON" in (caught.value.remedy or "")


def test_a_damaged_line_in_the_middle_is_named(tmp_path: Path) -> None:
    """What comes before is delivered."""
    path = write(tmp_path / "r", line(1) + "{nonsense}\n" + line(3))
    with Recording(path) as recording, pytest.raises(RecordingError, match="r:2: not a line"):
        list(recording)
    assert times(path) == [1, -1]


def test_damaged_gzip_data_is_named(tmp_path: Path) -> None:
    """A flipped byte is no traceback."""
    raw = bytearray(gzip.compress("".join(line(n) for n in range(2_000)).encode()))
    raw[len(raw) // 2] ^= 0xFF
    path = write(tmp_path / "r", bytes(raw))
    with Recording(path) as recording, pytest.raises(RecordingError, match=r"damaged|not a line|cut short"):
        list(recording)


def test_a_line_without_end_is_bounded(tmp_path: Path) -> None:
    """A file of one endless line is refused before it fills the memory."""
    path = write(tmp_path / "r", b"0" * 5_000)
    with (
        Recording(path, max_line=1_000) as recording,
        pytest.raises(RecordingError, match="longer than 1,000"),
    ):
        list(recording)


def test_deep_nesting_is_refused(tmp_path: Path) -> None:
    """No payload can exhaust the stack."""
    deep = '{"t":1,"push":{"channel":"c","pub":{"data":' + "[" * 100_000 + "]" * 100_000 + "}}}\n"
    path = write(tmp_path / "r", deep)
    with Recording(path) as recording, pytest.raises(RecordingError, match="r:1:"):
        list(recording)


def test_an_empty_file_is_no_recording(tmp_path: Path) -> None:
    """Nothing is not a market without events."""
    path = write(tmp_path / "r", b"")
    with Recording(path) as recording, pytest.raises(RecordingError, match="empty"):
        list(recording)


@pytest.mark.parametrize("name", ["absent", "."])
def test_what_cannot_be_opened_is_named(tmp_path: Path, name: str) -> None:
    """A missing file and a folder are sentences."""
    with pytest.raises(RecordingError, match=r"no such file|cannot be read"):
        Recording(tmp_path / name)


def test_progress_goes_from_nothing_to_all(tmp_path: Path) -> None:
    """The share is of the bytes of the file."""
    path = write(tmp_path / "r", "".join(line(n) for n in range(20_000)))
    with Recording(path) as recording:
        entries = iter(recording)
        next(entries)
        assert recording.progress < 0.1
        assert sum(1 for _ in entries) == 19_999
        assert recording.progress == 1.0
