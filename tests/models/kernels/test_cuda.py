"""The CUDA form against torch.nn.LSTM in float64: compiled on a GPU, else in Triton's interpreter on the CPU."""

import importlib.util
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

GPU = torch.cuda.is_available()
DEVICE = "cuda" if GPU else "cpu"
# Triton reads TRITON_INTERPRET when it is imported. Where another test has imported it (torch's compiler does), all
# tests here are left to a fresh process.
LATE = not GPU and "triton" in sys.modules and os.environ.get("TRITON_INTERPRET") != "1"
if not GPU and not LATE:
    os.environ["TRITON_INTERPRET"] = "1"
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # else cuBLAS refuses deterministic algorithms

triton = pytest.importorskip("triton", reason="the CUDA form needs triton (Linux only): pip install triton")
tl = pytest.importorskip("triton.language")

from lit_al.exceptions import ConfigError  # noqa: E402
from lit_al.models import kernels  # noqa: E402
from lit_al.models.kernels import cuda, hidden_states, pooled_states, triton_loops  # noqa: E402

pytestmark = pytest.mark.filterwarnings("error")
interpreted = pytest.mark.skipif(GPU, reason="about CPU tensors and the interpreter")
on_gpu = pytest.mark.skipif(not GPU, reason="needs a GPU")


def on_device(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Let a function of CPU tensors run on the device under test; gradients find their way back."""

    def moved(tokens: Tensor, *parameters: Tensor, **options: object) -> Tensor:
        return function(tokens.to(DEVICE), *(p.to(DEVICE) for p in parameters), **options).cpu()

    return moved


# The contract of all forms, in a copy of its module whose functions run on the device.
spec = importlib.util.spec_from_file_location("contract", Path(__file__).with_name("test_kernels.py"))
contract = importlib.util.module_from_spec(spec)
spec.loader.exec_module(contract)
contract.pooled_states, contract.hidden_states = FUNCTIONS = on_device(pooled_states), on_device(hidden_states)

both = pytest.mark.parametrize("function", FUNCTIONS, ids=["pooled_states", "hidden_states"])


@pytest.fixture(autouse=True)
def interpreter(request: pytest.FixtureRequest) -> None:
    if LATE and request.function is not test_all_tests_here_pass_in_a_fresh_process:
        pytest.skip("Triton is already imported; see test_all_tests_here_pass_in_a_fresh_process")


@pytest.mark.skipif(not LATE, reason="this process is fresh, or has a GPU")
@pytest.mark.slow
def test_all_tests_here_pass_in_a_fresh_process() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__]
    environment = os.environ | {"TRITON_INTERPRET": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def large_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Interpreted, a program takes as long for one row as for many."""
    if not GPU:
        monkeypatch.setattr(cuda, "_rows", lambda members, batch, width: triton.next_power_of_2(batch))


@pytest.fixture
def deterministic() -> Iterator[None]:
    """Fixed order of sums; torch also fills fresh memory with NaN, so that a number never written is seen."""
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(False)


@pytest.mark.parametrize(("batch", "steps"), [(1, 1), (3, 2), (2, 5)])
def test_states_and_gradients_agree_with_torch(batch: int, steps: int) -> None:
    contract.assert_agrees("cuda", contract.make_tokens(batch, steps))


def test_sorted_sums_agree_with_torch(deterministic: None, large_programs: None) -> None:
    contract.assert_agrees("cuda", contract.make_tokens(3, 4, 5), members=3)


@pytest.mark.parametrize("rows", [2, 4])
def test_last_block_of_rows_may_be_cut(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda, "_rows", lambda members, batch, width: rows)
    contract.assert_agrees("cuda", contract.make_tokens(5, 3))


@pytest.mark.parametrize("shared", [True, False])
def test_members_agree_with_torch(shared: bool, large_programs: None) -> None:
    tokens = contract.make_tokens(33, 4) if shared else contract.make_tokens(3, 33, 4)
    contract.assert_agrees("cuda", tokens, members=3)


@pytest.mark.parametrize("units", [1, 4, 30, 32, 64])
def test_unit_counts_agree_with_torch(units: int, large_programs: None) -> None:
    contract.assert_agrees("cuda", contract.make_tokens(3, 3), units=units)


@on_gpu
@pytest.mark.parametrize(("members", "batch", "steps"), [(1, 257, 150), (5, 257, 150), (1, 1, 150), (2, 5000, 20)])
def test_full_sizes_agree_with_torch(members: int, batch: int, steps: int) -> None:
    contract.assert_agrees("cuda", contract.make_tokens(batch, steps), members, units=32)


@pytest.mark.parametrize("row", [[0, 22, 0], [22, 22, 0], [0] * 9, [3, 3, 5, 0, 0, 0]])
def test_edges_of_the_table_and_runs_of_a_token_agree_with_torch(row: list[int], large_programs: None) -> None:
    contract.assert_agrees("cuda", torch.tensor([row, row[::-1]]))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.uint16, torch.int32])
def test_integer_dtypes_give_the_same_states(dtype: torch.dtype, large_programs: None) -> None:
    contract.test_integer_dtypes_give_the_same_states("cuda", dtype)


def test_noncontiguous_arguments_give_the_same_states(large_programs: None) -> None:
    contract.test_noncontiguous_arguments_give_the_same_states("cuda", contract.pooled_states)


def test_masked_states_are_those_of_the_words_alone(large_programs: None) -> None:
    contract.assert_agrees_masked("cuda", contract.make_padded_tokens(4, 5))
    contract.assert_agrees_masked("cuda", contract.make_padded_tokens(2, 4, 5), members=2)


@both
def test_backward_twice_gives_the_same_gradients(function: object, large_programs: None, deterministic: None) -> None:
    contract.test_backward_twice_gives_the_same_gradients("cuda", function)


def test_two_forwards_before_the_backwards_do_not_mix(large_programs: None, deterministic: None) -> None:
    contract.test_two_forwards_before_the_backwards_do_not_mix("cuda", contract.pooled_states)


@pytest.mark.parametrize("members", [1, pytest.param(5, marks=on_gpu)])
def test_deterministic_rerun_is_equal_to_the_bit(members: int, large_programs: None, deterministic: None) -> None:
    tokens, parameters = contract.make_tokens(257, 4), contract.make_parameters(members)
    runs = []
    for _ in range(2):
        states = contract.pooled_states(tokens, *parameters, kernel="cuda")
        runs.append((states, *contract.gradients(states, parameters)))
    assert all(map(torch.equal, *runs))


@both
def test_without_gradients_the_states_are_the_same(function: object, large_programs: None) -> None:
    contract.test_without_gradients_the_states_are_the_same("cuda", function)


def test_tie_sends_the_gradient_to_the_first_time_step() -> None:
    contract.test_tie_sends_the_gradient_to_the_first_time_step("cuda")


@both
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e30])
def test_nan_and_infinity_spread_as_in_torch(function: object, value: float, large_programs: None) -> None:
    contract.test_nan_and_infinity_spread_as_in_torch("cuda", function, value)


@both
def test_empty_batch_gives_empty_states_and_no_gradient(function: object) -> None:
    contract.test_empty_batch_gives_empty_states_and_no_gradient("cuda", function)


@pytest.mark.parametrize("wrong", [-1, contract.VOCABULARY, 2**40])
def test_token_outside_the_table_gives_nan_from_there_on(wrong: int) -> None:
    tokens = contract.make_tokens(2, 3)
    tokens[1, 1] = wrong
    parameters = [p.to(DEVICE) for p in contract.make_parameters()]
    states = cuda.run(tokens.to(DEVICE), *parameters, masked=False, pooling=False).cpu()[
        0
    ]  # (2, 3, 10), past the check on CPU
    states.sum().backward()
    forward, backward = states.isnan().chunk(2, dim=-1)
    assert not states[0].isnan().any()
    assert forward.all(-1)[1].tolist() == [False, True, True]
    assert backward.all(-1)[1].tolist() == [True, True, False]


def test_autocast_leaves_the_numbers_exact(large_programs: None) -> None:
    tokens, parameters = contract.make_tokens(4, 3).to(DEVICE), [p.to(DEVICE) for p in contract.make_parameters()]
    expected = pooled_states(tokens, *parameters, kernel="cuda")
    with torch.autocast(DEVICE, dtype=torch.bfloat16):
        assert torch.equal(pooled_states(tokens, *parameters, kernel="cuda"), expected)


@triton.jit
def squash(x, sigmoid, tanh, SIZE: tl.constexpr):
    place = tl.arange(0, SIZE)
    tl.store(sigmoid + place, triton_loops._sigmoid(tl.load(x + place)))
    tl.store(tanh + place, triton_loops._tanh(tl.load(x + place)))


def test_sigmoid_and_tanh_are_accurate() -> None:
    points = torch.cat([torch.linspace(-100, 100, 2048), torch.linspace(-1, 1, 2048)]).to(DEVICE)
    sigmoid, tanh = torch.empty_like(points), torch.empty_like(points)
    squash[(1,)](points, sigmoid, tanh, SIZE=4096)
    torch.testing.assert_close(sigmoid.double(), points.double().sigmoid(), rtol=0, atol=3e-7)
    torch.testing.assert_close(tanh.double(), points.double().tanh(), rtol=0, atol=6e-7)


def test_programs_take_more_rows_when_the_chip_is_full() -> None:
    assert [cuda._rows(members, 256, 32) for members in (1, 2, 5)] == [1, 1, 2]
    assert cuda._rows(5, 5000, 64) == 1


@on_gpu
def test_nothing_waits_for_the_device() -> None:
    tokens, parameters = contract.make_tokens(40, 9).to(DEVICE), [p.to(DEVICE) for p in contract.make_parameters()]
    pooled_states(tokens, *parameters, kernel="cuda").sum().backward()  # compiled outside
    torch.cuda.set_sync_debug_mode("error")
    try:
        pooled_states(tokens, *parameters, kernel="cuda").sum().backward()
    finally:
        torch.cuda.set_sync_debug_mode("default")


@on_gpu
def test_auto_takes_the_cuda_form_on_a_gpu() -> None:
    kernels._form.cache_clear()
    assert kernels._form("auto", "cuda", torch.float32, 32) is cuda
    assert kernels._form("auto", "cuda", torch.float64, 32).__name__ == "lit_al.models.kernels.lstm"


def test_auto_falls_back_to_torch_and_says_so_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "lit_al.models.kernels.cuda", None)
    kernels._form.cache_clear()
    with caplog.at_level(logging.WARNING, logger="lit_al"):
        forms = {kernels._form("auto", "cuda", torch.float32, 32).__name__ for _ in range(2)}
    assert forms == {"lit_al.models.kernels.lstm"}
    (record,) = caplog.records
    assert record.getMessage().startswith("kernel='cuda' needs triton (")
    assert record.getMessage().endswith("; using the slower kernel='lstm'")
    kernels._form.cache_clear()


@interpreted
def test_without_the_interpreter_cpu_tensors_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda, "INTERPRETED", False)
    kernels._form.cache_clear()
    with pytest.raises(ConfigError, match="kernel='cuda' runs float32 on CUDA but got tensors on cpu; use kernel"):
        pooled_states(contract.make_tokens(1, 2), *contract.make_parameters(), kernel="cuda")
    kernels._form.cache_clear()


def test_unfit_tensors_are_refused() -> None:
    with pytest.raises(ConfigError, match="kernel='cuda' keeps at most 64 units per direction on chip but got 65"):
        contract.pooled_states(contract.make_tokens(1, 2), *contract.make_parameters(units=65), kernel="cuda")
    parameters = contract.make_parameters(dtype=torch.float64)
    with pytest.raises(ConfigError, match=r"kernel='cuda' runs float32 on CUDA but got torch\.float64 on "):
        contract.pooled_states(contract.make_tokens(1, 2), *parameters, kernel="cuda")


def test_failing_triton_is_an_obstacle_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("Failed to find C compiler")

    monkeypatch.setattr(cuda, "_launch", fail)
    assert cuda.obstacle(DEVICE, 5) == "fails on this machine (RuntimeError: Failed to find C compiler)"


def test_importing_the_package_does_not_import_triton() -> None:
    code = "import sys, lit_al.models.kernels; sys.exit('triton' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


COMPILE = """
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource, compile
from lit_al.models.kernels import triton_loops

def check(kernel, **constants):
    types = {"tokens": "*i64", "where": "*i32"} | dict.fromkeys(("token_stride", "batch", "steps", "vocabulary"), "i32")
    names = kernel.arg_names
    signature = {name: "constexpr" if name in constants else types.get(name, "*fp32") for name in names}
    constants = {(names.index(name),): value for name, value in constants.items()}
    aligned = [name for name in names if signature[name].startswith("*") and name not in triton_loops.UNSPECIALIZED]
    attributes = {(names.index(name),): [["tt.divisibility", 16]] for name in aligned}
    source = ASTSource(kernel, signature, constants, attributes)
    assert compile(source, GPUTarget("cuda", 90, 32), {"num_warps": 1}).asm["cubin"]

check(triton_loops.forward, UNITS=30, WIDTH=32, ROWS=1, POOLING=True, SAVING=True)
check(triton_loops.forward, UNITS=32, WIDTH=32, ROWS=2, POOLING=False, SAVING=False)
check(triton_loops.backward, UNITS=30, WIDTH=32, ROWS=1, POOLING=True, ATOMICS=True)
check(triton_loops.backward, UNITS=32, WIDTH=32, ROWS=2, POOLING=False, ATOMICS=False)
"""


def test_kernels_compile_for_an_h100_without_one(tmp_path: Path) -> None:
    environment = os.environ | {"TRITON_INTERPRET": "0", "TRITON_CACHE_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", COMPILE], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
