"""The BiLSTM on a GPU: is the `cuda` kernel right, and how fast is it beside cuDNN?

    python benchmarks/gpu.py --json gpu.json

Compares pooled states and gradients with the reference in float64, then times with CUDA events, forms in turn, medians
of `--repeats` batches: forward, backward, and a whole training step (forward, loss, backward, Adam) of the network of
the Keras example with `--members` networks side by side. `*_graph` rows replay a CUDA graph of the training step: what
the device needs when Python does not hold it up. `rows` compares the numbers of rows per program.
"""

import argparse
import functools
import json
import statistics
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from lit_al.models.bilstm import BiLSTM
from lit_al.models.kernels import cuda, pooled_states

VOCABULARY, FEATURES, UNITS = 3_000, 128, 32
KERNELS = ("cuda", "lstm")
NAMES = ("embedding", "input_kernel", "bias", "recurrent")


def make_tokens(batch: int, steps: int) -> Tensor:
    """Token ids as texts have them: few tokens make most of a text, and short texts end in padding; (B, T)."""
    ranks = torch.rand(batch, steps, device="cuda").pow(3).mul(VOCABULARY - 1).long() + 1
    lengths = torch.randint(steps // 3, 2 * steps, (batch, 1), device="cuda")
    return ranks * (torch.arange(steps, device="cuda") < lengths)


def make_parameters(members: int, dtype: torch.dtype = torch.float32) -> list[Tensor]:
    """Parameters of `members` networks stacked, (M, ...), as `pooled_states` takes them."""
    torch.manual_seed(members)
    networks = [BiLSTM() for _ in range(members)]
    stacked = [
        torch.stack([n.embedding.weight for n in networks]),
        torch.stack([n.lstm.input_kernel for n in networks]),
        torch.stack([n.lstm.bias for n in networks]),
        torch.stack([n.lstm.recurrent_kernel for n in networks]),
    ]
    return [part.detach().to("cuda", dtype).requires_grad_() for part in stacked]


def errors(members: int, tokens: Tensor, kernel: str) -> dict[str, float]:
    """Largest difference of the pooled states, and relative errors of the gradients, from float64."""
    results = []
    for form, dtype in ((kernel, torch.float32), ("reference", torch.float64)):
        parameters = make_parameters(members, dtype)
        pooled = pooled_states(tokens, *parameters, kernel=form)
        weights = torch.linspace(-1, 1, pooled.numel(), device="cuda", dtype=dtype).view_as(pooled)
        results.append((pooled.detach(), torch.autograd.grad((pooled * weights).sum(), parameters)))
    (pooled, grads), (true_pooled, true_grads) = results
    relative = [((g - t).norm() / t.norm()).item() for g, t in zip(grads, true_grads, strict=True)]
    return {"forward": (pooled - true_pooled).abs().max().item(), **dict(zip(NAMES, relative, strict=True))}


def median_ms(function: Callable[[], object], repeats: int) -> float:
    """Median time of a call on the device, in milliseconds."""
    for _ in range(5):
        function()
    events = [[torch.cuda.Event(enable_timing=True) for _ in range(2)] for _ in range(repeats)]
    for start, stop in events:
        start.record()
        function()
        stop.record()
    torch.cuda.synchronize()
    return statistics.median(start.elapsed_time(stop) for start, stop in events)


def time_passes(members: int, tokens: Tensor, kernel: str, repeats: int) -> dict[str, float]:
    """Times of the recurrence alone: inference, forward with what backward needs, backward."""
    parameters = make_parameters(members)
    forward = functools.partial(pooled_states, tokens, *parameters, kernel=kernel)
    with torch.inference_mode():
        inference = median_ms(forward, repeats)
    pooled = forward()
    ones = torch.ones_like(pooled)
    backward = functools.partial(torch.autograd.grad, pooled, parameters, ones, retain_graph=True)
    return {"inference": inference, "forward": median_ms(forward, repeats), "backward": median_ms(backward, repeats)}


def time_steps(members: int, tokens: Tensor, kernel: str, repeats: int) -> dict[str, float]:
    """Times of a whole training step: M recurrences in one launch, then each member's dense layers."""
    parameters = make_parameters(members)
    heads = [BiLSTM(vocabulary_size=1).cuda() for _ in range(members)]  # only their dense layers are used
    weights = [*parameters, *(p for head in heads for part in (head.dense, head.head) for p in part.parameters())]
    optimizer = torch.optim.Adam(weights, capturable=True, fused=True)
    labels = torch.rand(len(tokens), device="cuda").round()

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        pooled = pooled_states(tokens, *parameters, kernel=kernel)
        logits = [h.head(h.dropout(h.dense(p).relu())).squeeze(-1) for h, p in zip(heads, pooled, strict=True)]
        loss = sum(functional.binary_cross_entropy_with_logits(part, labels) for part in logits)
        loss.backward()
        optimizer.step()

    times = {"step": median_ms(step, repeats)}
    try:
        times["step_graph"] = median_ms(captured(step).replay, repeats)
    except RuntimeError as error:  # not every form can be captured
        print(f"no CUDA graph for kernel={kernel}: {str(error).splitlines()[0]}")
    return times


def captured(step: Callable[[], None]) -> torch.cuda.CUDAGraph:
    """Record a training step as a CUDA graph."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph


def time_rows(members: int, tokens: Tensor, repeats: int) -> dict[str, dict[str, float]]:
    """Times of the recurrence by the number of rows that a program takes."""
    rule, times = cuda._rows, {}
    try:
        for rows in (1, 2):
            cuda._rows = lambda members, batch, width, rows=rows: rows
            times[str(rows)] = time_passes(members, tokens, "cuda", repeats)
    finally:
        cuda._rows = rule
    return times


def floor_ms(members: int, batch: int, steps: int) -> dict[str, float]:
    """The least a step could take: bytes at 3.35 TB/s, multiply-adds at 33.5 T/s (data sheet of the H100 SXM)."""
    cells = members * 2 * batch * steps
    moved = 4 * UNITS * cells * ((4 + 6) + (5 + 4 + 4) + (1 + 4))  # forward, backward, recurrent gradient
    table = 3 * members * VOCABULARY * FEATURES * 8 * UNITS
    return {"bytes": moved / 3.35e9, "arithmetic": (3 * cells * 4 * UNITS * UNITS + table) / 33.5e9}


def show(result: dict) -> None:
    """Print one line per members and kernel."""
    print(f"\n{result['device']}, {result['batch']} x {result['steps']} tokens, ms (medians of {result['repeats']})")
    columns = "inference", "forward", "backward", "step", "step_graph"
    print(f"{'members':>8}{'kernel':>8}" + "".join(f"{name:>12}" for name in columns) + f"{'max error':>12}")
    for run in result["runs"]:
        cells = "".join(f"{run['ms'].get(name, float('nan')):12.3f}" for name in columns)
        print(f"{run['members']:8}{run['kernel']:>8}{cells}{max(run['errors'].values()):12.1e}")
    for members, times in result["rows"].items():
        for rows, ms in times.items():
            print(f"members {members}, {rows} rows a program: " + ", ".join(f"{k} {v:.3f}" for k, v in ms.items()))


def main() -> None:
    """Check, time, print, and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--members", type=int, nargs="+", default=[1, 5])
    parser.add_argument("--repeats", type=int, default=100)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if not torch.cuda.is_available():
        parser.exit(1, "this benchmark needs a CUDA device\n")
    tokens = make_tokens(options.batch, options.steps)
    runs, rows = [], {}
    for members in options.members:
        for kernel in KERNELS:
            found = errors(members, tokens, kernel)
            ms = time_passes(members, tokens, kernel, options.repeats)
            ms |= time_steps(members, tokens, kernel, options.repeats)
            runs.append({"members": members, "kernel": kernel, "errors": found, "ms": ms})
        rows[members] = time_rows(members, tokens, options.repeats)
    result = {
        "device": torch.cuda.get_device_name(),
        "torch": torch.__version__,
        **{name: getattr(options, name) for name in ("batch", "steps", "repeats")},
        "floor_ms": {m: floor_ms(m, options.batch, options.steps) for m in options.members},
        "runs": runs,
        "rows": rows,
    }
    show(result)
    if options.json:
        options.json.write_text(json.dumps(result, indent=1))
    wrong = [f"{r['kernel']} M={r['members']}" for r in runs if r["errors"]["forward"] > 1e-5]
    wrong += [f"{r['kernel']} M={r['members']}" for r in runs if max(r["errors"][n] for n in NAMES) > 1e-4]
    if wrong:
        raise SystemExit(f"outside the tolerances (forward 1e-5, gradients 1e-4): {', '.join(wrong)}")


if __name__ == "__main__":
    main()
