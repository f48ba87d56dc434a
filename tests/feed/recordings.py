"""Small recordings, and an independent reading of them."""

from __future__ import annotations

import gzip
import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

REAL = "btcusdt-spot.ndjson.gz"


def real_recording() -> Path | None:
    """Return the recording of a real market where there is one: CADENZA_RECORDING, or beside the checkout."""
    named = os.environ.get("CADENZA_RECORDING")
    path = Path(named) if named else Path(__file__).resolve().parents[3] / "shared" / "data" / REAL
    return path if path.is_file() else None


def line(time: int, channel: str, data: Any, offset: int = 0) -> str:
    """Return one line of a recording."""
    return json.dumps({"t": time, "push": {"channel": channel, "pub": {"data": data, "offset": offset}}})


def write(path: Path, lines: list[str]) -> Path:
    """Write a recording, gzipped where the name says so."""
    raw = "".join(f"{one}\n" for one in lines).encode()
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)
    return path


def naive(path: Path, depth: int) -> dict[str, dict[str, Any]]:
    """Apply a recording of L2 books in the plainest way there is, and return what is left by instrument."""
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    books: dict[str, dict[str, dict[Decimal, tuple[str, str]]]] = {}
    counts: dict[str, dict[str, int]] = {}
    for text in raw.decode().splitlines():
        push = json.loads(text)["push"]
        kind, data = push["channel"].split(":")[1], push["pub"]["data"]
        name = push["channel"].split(":", 2)[2]
        count = counts.setdefault(name, {"trades": 0, "tickers": 0, "diffs": 0, "crossed": 0})
        book = books.setdefault(name, {"bids": {}, "asks": {}})
        if kind == "trade":
            count["trades"] += 1
        elif kind == "ticker":
            count["tickers"] += 1
        else:
            if data["updateType"] == "SNAPSHOT":
                book["bids"], book["asks"] = {}, {}
            else:
                count["diffs"] += 1
            for side in ("bids", "asks"):
                for price, quantity in data[side]:
                    book[side].pop(Decimal(price), None)
                    if Decimal(quantity):
                        book[side][Decimal(price)] = (price, quantity)
            bids, asks = book["bids"], book["asks"]
            count["crossed"] += bool(bids and asks and max(bids) > min(asks))
    return {
        name: {
            "instrument": name,
            "bids": [list(books[name]["bids"][price]) for price in sorted(books[name]["bids"], reverse=True)][
                :depth
            ],
            "asks": [list(books[name]["asks"][price]) for price in sorted(books[name]["asks"])][:depth],
            **counts[name],
            "rejected": 0,
        }
        for name in books
    }
