"""How many texts a second `lit-al serve` answers, beside plain FastAPI over `nn.LSTM`: figures of docs/performance.md.

    python benchmarks/serve.py --seconds 10 --turns 3

Both serve a network of the same sizes, weights drawn at random, with the same encoder, in processes of their own; a few
clients ask for 32 texts of made-up words again and again, each when it has its answer. The two take turns. Texts have
as many words as IMDB's reviews: lognormal, 174 in the median, 600 at the 95th percentile or so.
"""

import lit_al  # noqa: F401, I001  # before torch, so that torch's threads do not spin on the kernel's cores

import argparse
import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from rich import get_console
from rich.table import Table
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from lit_al.models.checkpoint import save_model
from lit_al.models.lit_bilstm import LitBiLSTM
from lit_al.text.encoder import TextEncoder

WORDS, VOCABULARY, LENGTH, BATCH = 20_000, 20_000, 400, 32
OURS = "lit-al serve"
PLAIN = "FastAPI and nn.LSTM"
_SERVE = "import sys; from lit_al.cli.main import main; sys.exit(main())"


def main() -> None:
    """Start both, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--plain", type=Path, help="serve this checkpoint with FastAPI; for the benchmark itself")
    parser.add_argument("--port", type=int, default=0)
    asked = parser.parse_args()
    if asked.plain:
        serve_plainly(asked.plain, asked.port)
        return
    bodies = [json.dumps({"texts": made_texts(seed)}).encode() for seed in range(20)]
    with TemporaryDirectory() as folder, both(made_model(Path(folder) / "model.ckpt")) as ports:
        found: dict[str, list[tuple[float, np.ndarray]]] = {name: [] for name in ports}
        for _ in range(asked.turns):
            for name, port in ports.items():
                found[name].append(turn(port, bodies, asked.clients, asked.seconds))
    show(found, asked.clients)


def made_texts(seed: int) -> list[str]:
    """A request of 32 texts."""
    rng = np.random.default_rng(seed)
    lengths = np.clip(rng.lognormal(np.log(174), 0.75, BATCH), 5, 2_500).astype(int)
    return [" ".join(f"w{word}" for word in rng.zipf(1.3, length) % WORDS) for length in lengths]


def made_model(path: Path) -> Path:
    """A checkpoint of the sizes of a lean fit, of random weights."""
    vocabulary = [" ".join(f"w{word}" for word in range(WORDS))] * 2
    encoder = TextEncoder.fit(vocabulary, vocabulary_size=VOCABULARY, max_length=LENGTH)
    torch.manual_seed(0)
    return save_model(LitBiLSTM(("negative", "positive"), encoder.state_dict(), masked=True).eval(), path)


@contextmanager
def both(model: Path) -> Iterator[dict[str, int]]:
    """Both services, by name: their ports."""
    ports = {OURS: free_port(), PLAIN: free_port()}
    ours = [sys.executable, "-c", _SERVE, "serve", str(model), "--port", str(ports[OURS])]
    plain = [sys.executable, __file__, "--plain", str(model), "--port", str(ports[PLAIN])]
    started = [subprocess.Popen(words, stdout=subprocess.DEVNULL) for words in (ours, plain)]
    try:
        for port in ports.values():
            wait_for(port)
        yield ports
    finally:
        for process in started:
            process.terminate()
            process.wait()


def serve_plainly(path: Path, port: int) -> None:
    """What one would write first: FastAPI, one process, torch's LSTM on packed sequences."""
    import uvicorn
    from fastapi import FastAPI

    from lit_al.models.checkpoint import load_frozen

    encoder, net, app = load_frozen(path).encoder, PlainLSTM().eval(), FastAPI()
    assert encoder is not None  # as `made_model` gave it
    classes = ("negative", "positive")

    @app.post("/predict")
    def predict(asked: dict[str, list[str]]) -> dict[str, list[dict[str, object]]]:
        tokens = torch.as_tensor(encoder.encode(asked["texts"])).long()
        with torch.inference_mode():
            positive = torch.sigmoid(net(tokens)).tolist()
        found = [dict(zip(classes, (1 - one, one), strict=True)) for one in positive]
        return {"predictions": [{"label": max(one, key=one.__getitem__), "probabilities": one} for one in found]}

    @app.get("/ready")
    def ready() -> dict[str, str]:
        return {"status": "ready"}

    uvicorn.run(app, port=port, log_level="error", access_log=False)


class PlainLSTM(nn.Module):
    """The same sizes in torch's own layers; packed, which on a CPU is two to three times as fast as padded."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, 128)
        self.lstm = nn.LSTM(128, 32, batch_first=True, bidirectional=True)
        self.dense, self.head = nn.Linear(64, 20), nn.Linear(20, 1)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Logits (B,) of tokens (B, T)."""
        lengths = (tokens != 0).sum(1).clamp(min=1)
        words = pack_padded_sequence(self.embedding(tokens), lengths, batch_first=True, enforce_sorted=False)
        states, _ = pad_packed_sequence(self.lstm(words)[0], batch_first=True, padding_value=-2.0)  # (B, T, 2H)
        logits: torch.Tensor = self.head(torch.relu(self.dense(states.amax(1)))).squeeze(1)
        return logits


def free_port() -> int:
    """One that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int, seconds: float = 120) -> None:
    """Until the service at a port answers."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(OSError, http.client.HTTPException):
            line = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            line.request("GET", "/ready")
            if line.getresponse().status == 200:
                return
        time.sleep(0.2)
    raise SystemExit(f"nothing answers at port {port}")


def turn(port: int, bodies: list[bytes], clients: int, seconds: float) -> tuple[float, np.ndarray]:
    """Texts a second, and the milliseconds of each request, of clients that each ask when they have their answer."""
    found: list[float] = []
    end = time.monotonic() + seconds

    def asking(first: int) -> None:
        line = http.client.HTTPConnection("127.0.0.1", port)
        number = first
        while time.monotonic() < end:
            began = time.perf_counter()
            line.request("POST", "/predict", bodies[number % len(bodies)], {"Content-Type": "application/json"})
            answer = line.getresponse()
            answer.read()
            if answer.status != 200:
                raise SystemExit(f"status {answer.status}")
            found.append(1_000 * (time.perf_counter() - began))
            number += 1

    began = time.perf_counter()
    threads = [threading.Thread(target=asking, args=(5 * number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return BATCH * len(found) / (time.perf_counter() - began), np.array(found)


def show(found: dict[str, list[tuple[float, np.ndarray]]], clients: int) -> None:
    """Medians of the turns, and how many times better ours is, turn by turn."""
    load = os.getloadavg()[0]
    table = Table(title=f"{clients} clients, requests of {BATCH} texts, {len(found[OURS])} turns; load {load:.1f}")
    rows = {}
    for name in ("", "texts/s", "p50 ms", "p99 ms"):
        table.add_column(name, justify="right" if name else "left")
    for name, turns in found.items():
        rows[name] = np.array([[rate, *np.percentile(times, [50, 99])] for rate, times in turns])  # (turns, 3)
        table.add_row(name, *(f"{value:,.0f}" for value in np.median(rows[name], axis=0)))
    better = rows[OURS] / rows[PLAIN]
    better[:, 1:] = 1 / better[:, 1:]
    table.add_row("times better, median", *(f"{value:.2f}" for value in np.median(better, axis=0)))
    table.add_row(
        "lowest to highest",
        *(f"{low:.2f} to {high:.2f}" for low, high in zip(better.min(0), better.max(0), strict=True)),
    )
    get_console().print(table)


if __name__ == "__main__":
    main()
