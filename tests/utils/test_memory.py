import resource
import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from lit_al.cli import main
from lit_al.cli.commands import COMMANDS
from lit_al.utils import memory

WORDS = {
    "predict": ["--checkpoint", "x"], "explain": ["run"], "agreement": ["run"], "recover": ["run"], "fit": ["x.csv"],
    "export": ["run", "--to", "x"], "import": ["run", "x"], "status": ["run"], "report": ["run"], "suspects": ["run"],
    "drift": ["model", "--data", "x.csv"], "serve": ["model"], "models": ["run"],
    "export-model": ["run", "--to", "x"], "gate": ["run", "--data", "x.csv", "--require", "accuracy>=0.9"],
}  # fmt: skip


def test_free_memory_is_known_here_and_no_more_than_the_limit():
    code = "from lit_al.utils import memory; print(memory.available())"
    limit = 2**30

    def lower():
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, preexec_fn=lower)
    assert 0 < int(done.stdout) < limit


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate memory: you tried"),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_too_little_memory_is_one_sentence_with_what_to_lower(command, error, monkeypatch, capsys):
    def fail(_):
        raise error

    monkeypatch.setitem(COMMANDS, command, replace(COMMANDS[command], run=fail))
    assert main.main([command, *WORDS.get(command, [])]) == 2
    printed = capsys.readouterr().err
    assert printed.startswith("error: there is too little memory (")
    assert printed.count("\n") == 1
    assert any(word in printed for word in ("lower --", "give", "take a smaller"))


def test_other_errors_are_no_shortage(monkeypatch):
    def fail(_):
        raise RuntimeError("a fault of ours")

    monkeypatch.setitem(COMMANDS, "train", replace(COMMANDS["train"], run=fail))
    with pytest.raises(RuntimeError, match="a fault of ours"):
        main.main(
            [
                "train",
            ]
        )
    assert not memory.is_shortage(ValueError("out of memory"))


def test_a_real_allocation_beyond_the_limit_is_recognized():
    with pytest.raises(RuntimeError) as found:
        torch.empty(2**60, dtype=torch.uint8)
    assert memory.is_shortage(found.value)
