"""The exchange's queries as Centrifugo's RPC proxy asks for them: over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from .commands import Error
from .queries import UnknownMethod, answer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .commands import Failure
    from .exchange import Exchange
    from .http import Handler

PATH = "/rpc"


class _Request(msgspec.Struct):
    """What Centrifugo sends; an empty field is left out."""

    user: str = ""
    method: str = ""
    data: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw)


_decode = msgspec.json.Decoder(_Request).decode


def rpc_routes(exchange: Exchange, catch_up: Callable[[], None]) -> dict[tuple[str, str], Handler]:
    """Return the routes of ``rpc.proxy.endpoint``, for ``http.Http``. ``catch_up`` brings the exchange up to
    the present before it answers."""

    async def rpc(_headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        try:
            request = _decode(body)
        except msgspec.MsgspecError:
            return 400, b'{"error":"this is no RPC request of Centrifugo\'s"}'
        catch_up()
        try:
            result = answer(exchange, request.user, request.method, bytes(request.data))
        except UnknownMethod:
            return 200, _failed(Error.METHOD_NOT_FOUND)
        except msgspec.MsgspecError:
            return 200, _failed(Error.BAD_REQUEST)
        return 200, b'{"result":{"data":%b}}' % result

    return {("POST", PATH): rpc}


def _failed(failure: Failure) -> bytes:
    return msgspec.json.encode({"error": {"code": failure.code, "message": failure.message}})
