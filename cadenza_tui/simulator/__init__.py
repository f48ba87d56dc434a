"""An exchange in a box: a seeded market, and a server that speaks Cadenza's wire on loopback.

The rooms ``instruments`` to ``exchange`` are pure: integer ticks and lots, seeded, no clock, no sockets.
``hub`` is the broker's memory (also pure), ``session`` and ``server`` speak the wire, ``run`` alone reads
the clock. Nothing here imports the program's own reading side: the field names are written a second time on
purpose, so that a test of the two together checks the contract and not itself.
"""
