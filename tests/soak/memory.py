"""What a process holds: resident memory, open files, tasks; and how fast the memory grows."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")


def resident_kib() -> int:
    """Return the resident memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE // 1_024


def open_files() -> int:
    """Return how many file descriptors this process has open."""
    return len(os.listdir("/proc/self/fd"))


def slope_per_minute(samples: list[tuple[float, int]]) -> float:
    """Return the slope of a straight line through (seconds, value) by least squares, per minute."""
    if len(samples) < 2:
        return 0.0
    mean_at = sum(at for at, _ in samples) / len(samples)
    mean = sum(value for _, value in samples) / len(samples)
    spread = sum((at - mean_at) ** 2 for at, _ in samples)
    return 60 * sum((at - mean_at) * (value - mean) for at, value in samples) / spread if spread else 0.0


@dataclass
class Use:
    """Samples of one process, one a second."""

    memory: list[tuple[float, int]] = field(default_factory=list)
    files: list[int] = field(default_factory=list)
    tasks: list[int] = field(default_factory=list)

    async def run(self) -> None:
        """Sample for ever."""
        loop = asyncio.get_running_loop()
        start = loop.time()
        while True:
            await asyncio.sleep(1.0)
            self.memory.append((loop.time() - start, resident_kib()))
            self.files.append(open_files())
            self.tasks.append(len(asyncio.all_tasks()))

    def settled(self, warm_up_s: float) -> list[tuple[float, int]]:
        """Return the memory samples after the warm-up."""
        return [sample for sample in self.memory if sample[0] >= warm_up_s]
