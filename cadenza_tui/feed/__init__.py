"""The worker: what comes over the link, or out of a recording, into the market."""
