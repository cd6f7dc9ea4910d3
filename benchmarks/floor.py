"""The least a training step of the example's model could take on this machine, and what share of that speed is reached.

    python benchmarks/floor.py

Operations and bytes are counted, not measured: those of the algorithm with the input projection folded into the
embedding table. The machine's two speeds are measured: a large matrix product, and a copy of memory. A step can be no
shorter than its operations at the first speed, nor than its bytes at the second.
"""

import lit_al  # noqa: I001  # before torch, so that torch's threads do not spin on the kernel's cores

import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

B, T, V, E, H = 256, 150, 3_000, 128, 32
EXP = 18  # operations of an activation: a polynomial of degree 5, the shift, the limits, the division


def operations() -> dict[str, float]:
    """Floating-point operations of a step, by part."""
    cells = 2 * B * T * H  # directions, texts, time steps, units
    fold, recurrence = 2 * V * E * 8 * H, 2 * cells * 4 * H
    return {
        "fold, forward": fold,
        "fold, backward": 2 * fold,
        "recurrence, forward": recurrence,
        "activations, forward": cells * (5 * EXP + 7),
        "recurrence, backward": 2 * recurrence,
        "activations, backward": cells * (EXP + 28),
        "optimizer": 9 * (V * E + 2 * (E + H + 1) * 4 * H),
    }


def bytes_moved() -> dict[str, float]:
    """Bytes of a step that do not fit into the second-level caches, by part."""
    cells, parameters = 2 * B * T * H, V * E + 2 * (E + H + 1) * 4 * H
    return {
        "gates and cells, written": 4 * 5 * cells,
        "gates and cells, read": 4 * 5 * cells,
        "gate tables and their gradients, written and read": 4 * 4 * V * 8 * H,
        "weights, gradients, mean squares": 4 * 6 * parameters,
    }


def best(call: Callable[[], object], repeats: int) -> float:
    """Shortest of several times: what the machine can do."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return min(times)


def product_speed() -> float:
    """Operations per second of a large float32 product."""
    a, b = torch.randn(2_048, 2_048), torch.randn(2_048, 2_048)
    return float(2 * 2_048**3 / best(lambda: a @ b, 10))


def copy_speed() -> float:
    """Bytes per second of a copy, read and written."""
    source, target = torch.zeros(2**27), torch.zeros(2**27)
    return 2 * 4 * 2**27 / best(lambda: target.copy_(source), 5)


def step_seconds() -> float:
    """Median of a training step in a plain loop."""
    net = lit_al.LitBiLSTM().net.train()
    optimizer = torch.optim.RMSprop(net.parameters(), lr=1e-3, alpha=0.9, eps=1e-7)
    ids = np.minimum(np.random.default_rng(0).zipf(1.2, (B, T)), V - 1)
    tokens, labels = torch.from_numpy(ids.astype(np.uint16)), torch.randint(0, 2, (B,)).float()

    def step() -> None:
        optimizer.zero_grad()
        torch.nn.functional.binary_cross_entropy_with_logits(net(tokens), labels).backward()
        optimizer.step()

    best(step, 3)
    return statistics.median(best(step, 1) for _ in range(50))


def main() -> None:
    """Print counts, speeds, floor and share."""
    console = Console()
    for title, counts, unit in (("operations", operations(), "million"), ("bytes", bytes_moved(), "MB")):
        table = Table(title=f"{title} of a training step")
        table.add_column("part")
        table.add_column(unit, justify="right")
        for name, count in {**counts, "sum": sum(counts.values())}.items():
            table.add_row(name, f"{count / 1e6:,.0f}")
        console.print(table)
    product, copy, step = product_speed(), copy_speed(), step_seconds()
    by_product, by_copy = sum(operations().values()) / product, sum(bytes_moved().values()) / copy
    console.print(
        f"matrix product {product / 1e9:.0f} billion operations a second → at least {1e3 * by_product:.1f} ms"
    )
    console.print(f"copy {copy / 1e9:.1f} GB a second → at least {1e3 * by_copy:.1f} ms")
    console.print(f"step {1e3 * step:.1f} ms: {max(by_product, by_copy) / step:.0%} of the floor's speed")


if __name__ == "__main__":
    main()
