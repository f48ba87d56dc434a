"""The outbox: commands into lines, lines into frames, and no token into sight."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadenza_tui.centrifugo.errors import CommandTooLarge
from cadenza_tui.centrifugo.frames import (
    Command,
    ConnectRequest,
    RefreshRequest,
    RpcRequest,
    Secretive,
    SubRefreshRequest,
    SubscribeRequest,
)
from cadenza_tui.centrifugo.outbox import Outbox, encode, pack


@given(st.lists(st.binary(min_size=1, max_size=60).filter(lambda line: b"\n" not in line), max_size=60))
def test_packed_frames_hold_all_lines_within_the_limit(lines: list[bytes]) -> None:
    """Commands keep their order, and no frame is longer than the server accepts."""
    packed = pack(lines, 64)
    assert [line for frame in packed for line in frame.split(b"\n")] == lines
    assert all(len(frame) <= 64 for frame in packed)


def test_packing_fills_frames_up_to_the_last_byte() -> None:
    """Two lines of a half each, newline included, share a frame; one byte more and they do not."""
    assert len(pack([b"x" * 32, b"x" * 31], 64)) == 1
    assert len(pack([b"x" * 32, b"x" * 32], 64)) == 2


def test_commands_leave_zero_values_out() -> None:
    """What is not asked for is not sent."""
    command = Command(id=2, subscribe=SubscribeRequest(channel="c"))
    assert encode(command, 1000) == b'{"id":2,"subscribe":{"channel":"c"}}'
    assert encode(Command(id=1, connect=ConnectRequest()), 1000) == b'{"id":1,"connect":{}}'


def test_rpc_parameters_may_be_raw_json_or_anything_that_is_json() -> None:
    """A caller's own bytes go out as they are; null is sent, being a value."""
    raw = Command(id=1, rpc=RpcRequest("m", msgspec.Raw(b'{"a": 1.50}')))
    assert encode(raw, 1000) == b'{"id":1,"rpc":{"method":"m","data":{"a": 1.50}}}'
    assert encode(Command(id=1, rpc=RpcRequest("m", None)), 1000).endswith(b'"data":null}}')


def test_command_beyond_the_limit_is_refused() -> None:
    """A frame that the server would refuse is never sent."""
    with pytest.raises(CommandTooLarge, match=r"a command of 1,\d+ bytes is longer than the 1,000"):
        encode(Command(id=1, rpc=RpcRequest("m", "x" * 1000)), 1000)


def test_outbox_answers_a_row_of_pings_once() -> None:
    """A flood of pings does not fill the queue."""
    outbox = Outbox(1000)
    for _ in range(5):
        outbox.pong()
    assert outbox
    assert outbox.take() == [b"{}"]
    assert not outbox


@pytest.mark.parametrize(
    "request_",
    [
        ConnectRequest(token="secret"),
        RefreshRequest("secret"),
        SubscribeRequest("a", "secret", recover=True),
        SubRefreshRequest("a", "secret"),
    ],
    ids=lambda request: type(request).__name__,
)
def test_requests_that_hold_a_token_do_not_show_it(request_: Secretive) -> None:
    """No token gets into a log or a traceback by way of a representation, Rich's own among them."""
    assert "secret" not in repr(request_)
    assert "secret" not in repr(request_.__rich_repr__())
    assert repr(request_).startswith(type(request_).__name__)


def test_commands_that_hold_a_token_do_not_show_it() -> None:
    """Neither does the command around it; what else is in it is shown."""
    command = Command(7, connect=ConnectRequest("secret"), subscribe=SubscribeRequest("a", "secret"))
    assert "secret" not in repr(command)
    assert "channel='a'" in repr(command)
    assert b"secret" in encode(command, 1000)
