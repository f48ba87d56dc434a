"""The Centrifugo client protocol v2 in JSON: a sans-I/O machine and a thin asyncio shell on `websockets`.

``session`` is the machine: bytes and times in, callbacks, bytes and deadlines out. ``client`` dials, reads,
writes and waits for it. Import from the modules; this package loads nothing by itself.
"""
