"""How long `import sanic` takes, beside a bare `import asyncio`, which is most of it.

    python benchmarks/import_time.py

Each import runs in a process of its own, in turn, and the medians are told: with compiled bytecode, as an installed
package has it. The aim is a ratio below 2.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from statistics import median

_MEASURE = "import time; start = time.perf_counter(); import {}; print(time.perf_counter() - start)"


def seconds(module: str, cache: str) -> float:
    """The time that one import takes in a new process.

    Args:
        module: What is imported.
        cache: Directory of the bytecode.
    """
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": cache, "PYTHONDONTWRITEBYTECODE": ""}
    command = [sys.executable, "-c", _MEASURE.format(module)]
    return float(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    parser = ArgumentParser(description="Compare the time of `import sanic` with that of `import asyncio`.")
    parser.add_argument("-n", "--runs", type=int, default=15, help="processes for each of the two (default 15)")
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as cache:
        modules = ("asyncio", "sanic")
        for module in modules:
            seconds(module, cache)  # compiles
        times = [[seconds(module, cache) for module in modules] for _ in range(runs)]
    asyncio_time, sanic_time = (median(column) * 1000 for column in zip(*times, strict=True))
    print(f"asyncio {asyncio_time:.1f} ms, sanic {sanic_time:.1f} ms, ratio {sanic_time / asyncio_time:.2f}")


if __name__ == "__main__":
    main()
