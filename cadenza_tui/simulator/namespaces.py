"""Namespaces: what a channel may do, by the text before the first colon of its name, as in Centrifugo."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Namespace:
    """A namespace's options. Times in seconds; beside each, the Centrifugo option that it stands for."""

    history: int | None = None
    """``history_size``: how many publications are remembered, 0 none, None as many as the server's option
    says. Without history publications have no offsets, and nothing is recoverable or positioned."""
    ttl: float | None = None
    """``history_meta_ttl``: a stream is forgotten, epoch and all, this long after it was last published to,
    subscribed to or recovered from; who listens then has lost their position, which the next publication
    tells them by an unsubscribe push with 2500. None: never while somebody listens."""
    recoverable: bool = True
    """``force_recovery``."""
    positioned: bool = True
    """``force_positioning``; a recoverable channel is positioned in any case."""
    delta: bool = False
    """``allowed_delta_types: ["fossil"]`` and ``delta_publish``."""
    token_required: bool = False
    """No ``allow_subscribe_for_client``: a subscription token opens the channel."""
    presence: bool = False
    """``presence`` and ``allow_presence_for_subscriber``."""
    history_for_subscriber: bool = False
    """``allow_history_for_subscriber``."""
    open: bool = False
    """Channels that the exchange does not know exist too, for whoever owns the server to publish to."""


WITHOUT = Namespace(history=0, recoverable=False, positioned=False, token_required=True, open=True)
"""Of channels without a colon, where nothing else is said: nobody may do anything there, but it exists."""

DEFAULT_NAMESPACES: Mapping[str, Namespace] = MappingProxyType(
    {
        "market": Namespace(history_for_subscriber=True),
        "tradingAccount": Namespace(history_for_subscriber=True),
    }
)


def namespace_of(channel: str) -> str:
    """Return the name of a channel's namespace, empty where it has none."""
    name, colon, _ = channel.partition(":")
    return name if colon else ""
