"""A server whose namespaces are open to the test, and what is published to them."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from cadenza_tui.simulator.namespaces import Namespace
from cadenza_tui.simulator.tokens import mint_subscription

from .conftest import SECRET

if TYPE_CHECKING:
    from .conftest import Rig

NAMESPACES = {
    "market": Namespace(history=100, delta=True, history_for_subscriber=True, open=True),
    "small": Namespace(history=2, open=True),
    "private": Namespace(token_required=True, open=True),
    "crowd": Namespace(history=0, recoverable=False, positioned=False, presence=True, open=True),
}


def publish(rig: Rig, channel: str, *data: Any) -> None:
    """Publish each as JSON."""
    for one in data:
        rig.server.publish_to(channel, json.dumps(one, ensure_ascii=False).encode())


def sub_token(channel: str, user: str = "demo", ttl: float | None = None) -> str:
    """Return a subscription token."""
    return mint_subscription(SECRET, channel, user, now=time.time(), ttl=ttl)
