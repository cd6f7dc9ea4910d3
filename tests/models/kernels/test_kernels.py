"""Every form of the recurrence against torch.nn.LSTM in float64."""

import logging
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest
import torch
from torch import Tensor

from lit_al.exceptions import ConfigError
from lit_al.models import kernels
from lit_al.models.kernels import cpu, hidden_states, loops, pooled_states
from lit_al.models.kernels.tiles import make_tile
from lit_al.utils.jit import compiled

FORMS = ("reference", "lstm", "cpu")
FUNCTIONS = (pooled_states, hidden_states)
VOCABULARY, FEATURES = 23, 6

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # tiny tensors: more threads would wait for each other most of the time
    yield
    torch.set_num_threads(before)


@pytest.fixture(params=[1, 2])
def threads(request: pytest.FixtureRequest, one_thread: None) -> None:
    torch.set_num_threads(request.param)


def make_parameters(members: int = 1, units: int = 5, dtype: torch.dtype = torch.float32) -> list[Tensor]:
    """Return embedding, input_kernel, bias and recurrent, the same numbers in every dtype."""
    generator = torch.Generator().manual_seed(members * 100 + units)
    shapes = (VOCABULARY, FEATURES), (2, FEATURES, 4 * units), (2, 4 * units), (2, units, 4 * units)
    scales = 1.0, 0.4, 0.2, units**-0.5
    return [
        (torch.randn(members, *shape, generator=generator) * scale).to(dtype).requires_grad_()
        for shape, scale in zip(shapes, scales, strict=True)
    ]


def make_tokens(*shape: int) -> Tensor:
    return torch.randint(0, VOCABULARY, shape, generator=torch.Generator().manual_seed(sum(shape)))


def gradients(states: Tensor, parameters: list[Tensor], **options: bool) -> tuple[Tensor, ...]:
    """Return the gradients of a fixed weighted sum of the states."""
    weights = torch.randn(states.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return torch.autograd.grad((states * weights.to(states.dtype)).sum(), parameters, **options)


def true_states(tokens: Tensor, parameters: list[Tensor]) -> Tensor:
    """Run torch.nn.LSTM in float64 with the given parameters; hidden states, shape (M, B, T, 2H)."""
    states = []
    for m, (embedding, kernel, bias, recurrent) in enumerate(zip(*parameters, strict=True)):
        lstm = torch.nn.LSTM(FEATURES, recurrent.shape[1], batch_first=True, bidirectional=True, dtype=torch.float64)
        weights = {
            f"{name}_l0{suffix}": value
            for d, suffix in enumerate(("", "_reverse"))
            for name, value in (
                ("weight_ih", kernel[d].T),
                ("weight_hh", recurrent[d].T),
                ("bias_ih", bias[d]),
                ("bias_hh", torch.zeros_like(bias[d])),
            )
        }
        inputs = embedding[tokens if tokens.ndim == 2 else tokens[m]]  # (B, T, E)
        states.append(torch.func.functional_call(lstm, weights, inputs)[0])
    return torch.stack(states)


def assert_agrees(form: str, tokens: Tensor, members: int = 1, units: int = 5) -> None:
    """Compare pooled and hidden states and all their gradients with the truth."""
    exact = make_parameters(members, units, torch.float64)
    truth = true_states(tokens, exact)
    for function, expected in ((pooled_states, truth.amax(2)), (hidden_states, truth)):
        parameters = make_parameters(members, units)
        states = function(tokens, *parameters, kernel=form)
        assert states.shape == expected.shape
        assert states.dtype == torch.float32
        torch.testing.assert_close(states.double(), expected, rtol=0, atol=1e-5)
        for actual, wanted in zip(
            gradients(states, parameters), gradients(expected, exact, retain_graph=True), strict=True
        ):
            assert (actual - wanted).norm() <= 1e-4 * wanted.norm() + 1e-12


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("steps", [1, 2, 150])
@pytest.mark.parametrize("batch", [1, 3])
def test_states_and_gradients_agree_with_torch(form: str, batch: int, steps: int, threads: None) -> None:
    assert_agrees(form, make_tokens(batch, steps))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("members", [1, 3])
@pytest.mark.parametrize("shared", [True, False])
def test_members_and_odd_batches_agree_with_torch(form: str, members: int, shared: bool, threads: None) -> None:
    tokens = make_tokens(257, 7) if shared else make_tokens(members, 257, 7)
    assert_agrees(form, tokens, members)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("units", [1, 4, 30, 32])
def test_unit_counts_agree_with_torch(form: str, units: int) -> None:
    assert_agrees(form, make_tokens(37, 20), units=units)


@pytest.mark.parametrize("form", FORMS)
def test_first_and_last_token_ids_agree_with_torch(form: str) -> None:
    assert_agrees(form, torch.tensor([[0, VOCABULARY - 1, 0], [VOCABULARY - 1, VOCABULARY - 1, 0]]))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_padding_alone_runs_like_any_token(form: str, function: object) -> None:
    tokens = torch.zeros(3, 12, dtype=torch.long)
    assert_agrees(form, tokens)


def make_padded_tokens(*shape: int) -> Tensor:
    """Return texts of any length, the first without a word and the last without padding."""
    tokens = 1 + make_tokens(*shape) % (VOCABULARY - 1)
    lengths = torch.randint(0, shape[-1] + 1, shape[:-1], generator=torch.Generator().manual_seed(1))
    lengths[..., 0], lengths[..., -1] = 0, shape[-1]
    return tokens.where(torch.arange(shape[-1]) < lengths[..., None], 0)


def true_masked_states(tokens: Tensor, parameters: list[Tensor]) -> Tensor:
    """Run torch.nn.LSTM over the words of each text alone; hidden states (M, B, T, 2H), zero behind them."""
    members = []
    for m in range(len(parameters[0])):
        texts = []
        for text in tokens if tokens.ndim == 2 else tokens[m]:
            words, weights = text[text > 0][None], [p[m : m + 1] for p in parameters]
            padding = weights[0].new_zeros(text.numel() - words.numel(), 2 * weights[3].shape[2])
            texts.append(torch.cat([true_states(words, weights)[0, 0], padding]) if words.numel() else padding)
        members.append(torch.stack(texts))
    return torch.stack(members)


def assert_agrees_masked(form: str, tokens: Tensor, members: int = 1, units: int = 5) -> None:
    """Compare masked states and all their gradients with the truth; padding's word vector learns nothing."""
    exact = make_parameters(members, units, torch.float64)
    truth = true_masked_states(tokens, exact)
    for function, expected in ((pooled_states, truth.amax(2).relu()), (hidden_states, truth)):
        parameters = make_parameters(members, units)
        states = function(tokens, *parameters, kernel=form, masked=True)
        torch.testing.assert_close(states.double(), expected, rtol=0, atol=1e-5)
        grads = gradients(states, parameters)
        for actual, wanted in zip(grads, gradients(expected, exact, retain_graph=True), strict=True):
            assert (actual - wanted).norm() <= 1e-4 * wanted.norm() + 1e-12
        assert not grads[0][:, 0].any()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("members", [1, 2])
@pytest.mark.parametrize("shared", [True, False])
def test_masked_states_are_those_of_the_words_alone(form: str, members: int, shared: bool, threads: None) -> None:
    assert_agrees_masked(form, make_padded_tokens(*(() if shared else (members,)), 9, 12), members)


@pytest.mark.parametrize("form", FORMS)
def test_masked_batch_smaller_than_the_vocabulary(form: str) -> None:
    assert_agrees_masked(form, torch.tensor([[3, 9, 0, 0], [22, 9, 0, 0]]))
    assert_agrees_masked(form, torch.tensor([[3, 9], [22, 9]]))  # no padding: row 0 of the tables is still its own


@pytest.mark.parametrize("form", FORMS)
def test_more_padding_changes_no_masked_text(form: str) -> None:
    tokens = make_padded_tokens(40, 9)
    runs = []
    for more in (0, 1, 5, 300):  # beyond 126 halvings a state that fades would be no normal number
        parameters, padded = make_parameters(), torch.nn.functional.pad(tokens, (0, more))
        pooled = pooled_states(padded, *parameters, kernel=form, masked=True)
        runs.append((pooled, *gradients(pooled, parameters)))
    for run in runs[1:]:
        for actual, wanted in zip(run, runs[0], strict=True):
            torch.testing.assert_close(actual, wanted, rtol=0, atol=1e-6)
    hidden = hidden_states(padded, *parameters, kernel=form, masked=True)
    assert hidden[(padded == 0).expand(1, -1, -1)].abs().max() < 1e-9
    backward = hidden[(padded == 0).expand(1, -1, -1)][:, 5:]
    assert not backward.any()  # to the bit: a text begins from zero


@pytest.mark.parametrize("form", FORMS)
def test_large_recurrent_weights_do_not_open_the_gates_of_padding(form: str) -> None:
    embedding, kernel, bias, recurrent = make_parameters()
    parameters = embedding, kernel, bias, recurrent * 5
    tokens = make_padded_tokens(40, 9)
    short = pooled_states(tokens, *parameters, kernel=form, masked=True)
    long = pooled_states(torch.nn.functional.pad(tokens, (0, 7)), *parameters, kernel=form, masked=True)
    torch.testing.assert_close(short, long, rtol=0, atol=1e-6)


@pytest.mark.parametrize("form", ["reference", "lstm"])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_masked_gradcheck_in_float64(form: str, function: object) -> None:
    tokens, parameters = make_padded_tokens(3, 4), make_parameters(members=2, units=2, dtype=torch.float64)
    masked = [p.detach().requires_grad_() for p in parameters]
    assert torch.autograd.gradcheck(lambda *p: function(tokens, *p, kernel=form, masked=True), masked, fast_mode=True)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.uint16, torch.int32, torch.int64])
def test_integer_dtypes_give_the_same_states(form: str, dtype: torch.dtype) -> None:
    tokens, parameters = make_tokens(4, 9), make_parameters()
    expected = pooled_states(tokens, *parameters, kernel=form)
    assert torch.equal(pooled_states(tokens.to(dtype), *parameters, kernel=form), expected)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_noncontiguous_arguments_give_the_same_states(form: str, function: object) -> None:
    tokens, parameters = make_tokens(5, 8), make_parameters(members=2)
    spread = [torch.stack([p, p], dim=-1)[..., 0] for p in parameters]  # every second number of a larger tensor
    states = function(tokens.T.contiguous().T, *spread, kernel=form)
    expected = function(tokens, *parameters, kernel=form)
    torch.testing.assert_close(states, expected, rtol=0, atol=1e-6)
    for actual, wanted in zip(gradients(states, parameters), gradients(expected, parameters), strict=True):
        torch.testing.assert_close(actual, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_backward_twice_gives_the_same_gradients(form: str, function: object) -> None:
    parameters = make_parameters()
    states = function(make_tokens(40, 9), *parameters, kernel=form)
    first = gradients(states, parameters, retain_graph=True)
    assert all(map(torch.equal, first, gradients(states, parameters)))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_two_forwards_before_the_backwards_do_not_mix(form: str, function: object) -> None:
    parameters = make_parameters()
    batches = make_tokens(40, 9), make_tokens(40, 9).flip(0)
    alone = [gradients(function(tokens, *parameters, kernel=form), parameters) for tokens in batches]
    states = [function(tokens, *parameters, kernel=form) for tokens in batches]
    for wanted, both in zip(alone, states, strict=True):
        assert all(map(torch.equal, wanted, gradients(both, parameters)))


@pytest.mark.parametrize("form", FORMS)
def test_rerun_is_equal_to_the_bit(form: str, threads: None) -> None:
    tokens, parameters = make_tokens(257, 20), make_parameters(members=2)
    runs = []
    for _ in range(3):
        states = pooled_states(tokens, *parameters, kernel=form)
        runs.append((states, *gradients(states, parameters)))
    for run in runs[1:]:
        assert all(map(torch.equal, run, runs[0]))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_without_gradients_the_states_are_the_same(form: str, function: object) -> None:
    tokens, parameters = make_tokens(40, 9), make_parameters()
    expected = function(tokens, *parameters, kernel=form)
    with torch.inference_mode():
        states = function(tokens, *parameters, kernel=form)
    assert not states.requires_grad
    torch.testing.assert_close(states, expected.detach(), rtol=0, atol=1e-6)


@pytest.mark.parametrize("form", FORMS)
def test_tie_sends_the_gradient_to_the_first_time_step(form: str) -> None:
    embedding, kernel, bias, recurrent = make_parameters()
    embedding = embedding[:, :1].expand(-1, VOCABULARY, -1).detach().requires_grad_()  # all tokens alike ...
    forget = torch.zeros_like(bias)
    forget[..., 5:10] = -1e3  # ... and nothing remembered: the state is the same at every time step
    states = pooled_states(torch.arange(6)[None], embedding, kernel, bias + forget, recurrent * 0, kernel=form)
    (grad,) = torch.autograd.grad(states.sum(), embedding)
    assert grad[0, 0].any()
    assert not grad[0, 1:].any()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e30])
def test_nan_and_infinity_spread_as_in_torch(form: str, function: object, value: float) -> None:
    tokens, parameters = make_tokens(40, 9), [p.detach() for p in make_parameters()]
    parameters[0][0, 7] = value
    parameters[1].abs_()  # an infinite row gives infinite gates of one sign, not NaN
    truth = true_states(tokens, [p.double() for p in parameters])
    expected = truth.amax(2) if function is pooled_states else truth
    states = function(tokens, *parameters, kernel=form)
    torch.testing.assert_close(states.double(), expected, rtol=0, atol=1e-5, equal_nan=True)
    assert states.isnan().any() == (value != value)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_empty_batch_gives_empty_states_and_no_gradient(form: str, function: object) -> None:
    parameters = make_parameters(members=2)
    states = function(make_tokens(0, 4), *parameters, kernel=form)
    assert states.shape == ((2, 0, 10) if function is pooled_states else (2, 0, 4, 10))
    assert not any(grad.any() for grad in gradients(states, parameters))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("wrong", [-1, VOCABULARY])
def test_token_outside_the_table_raises_index_error(form: str, wrong: int) -> None:
    tokens = make_tokens(2, 3)
    tokens[1, 2] = wrong
    with pytest.raises(IndexError, match=f"token id {wrong} is outside the embedding table of {VOCABULARY} rows"):
        pooled_states(tokens, *make_parameters(), kernel=form)


def test_tokens_of_no_use_raise() -> None:
    with pytest.raises(TypeError, match=r"must hold integers but got torch\.float32"):
        pooled_states(torch.zeros(1, 2), *make_parameters())
    with pytest.raises(ValueError, match="has no time step"):
        pooled_states(make_tokens(3, 0), *make_parameters())


@pytest.mark.parametrize("form", ["reference", "lstm"])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_gradcheck_in_float64(form: str, function: object) -> None:
    tokens, parameters = make_tokens(3, 4), make_parameters(members=2, units=2, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda *p: function(tokens, *p, kernel=form), parameters, fast_mode=True)


def test_autocast_leaves_the_cpu_form_exact() -> None:
    tokens, parameters = make_tokens(4, 9), make_parameters()
    expected = pooled_states(tokens, *parameters, kernel="cpu")
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(pooled_states(tokens, *parameters, kernel="cpu"), expected)


def test_fading_gradient_does_not_slow_down() -> None:
    tokens = torch.zeros(2, 300, dtype=torch.long)
    parameters = [p.detach().requires_grad_() for p in make_parameters()]
    weights = torch.zeros(1, 2, 300, 10)
    weights[:, :, -1] = 1  # enters at one end only and shrinks at every step
    grads = torch.autograd.grad((hidden_states(tokens, *parameters, kernel="cpu") * weights).sum(), parameters)
    expected = torch.autograd.grad((hidden_states(tokens, *parameters, kernel="reference") * weights).sum(), parameters)
    for actual, wanted in zip(grads, expected, strict=True):
        torch.testing.assert_close(actual, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("shape", [(8, 16), (4, 8), (8, 4), (1, 1)])
@pytest.mark.parametrize("depth", [0, 1, 5, 128])
def test_tile_of_every_processor_is_the_product(shape: tuple[int, int], depth: int) -> None:
    rows, lanes = shape
    tile = make_tile(rows, lanes)
    generator = np.random.default_rng(0)
    out, x = generator.random((rows + 3, 2 * lanes + 5)), generator.random((depth, rows + 2)).T  # x by columns
    matrix = generator.random((depth, 2 * lanes + 7))
    out, x, matrix = (array.astype(np.float32, order="K") for array in (out, x, matrix))
    expected = out.copy()
    expected[2 : 2 + rows, 3 : 3 + 2 * lanes] += x[2:] @ matrix[:, 3 : 3 + 2 * lanes]

    @numba.njit
    def call(out: Any, x: Any, matrix: Any) -> None:
        tile(out[2:], x[2:], matrix, 0, 3)

    call(out, x, matrix)
    np.testing.assert_allclose(out, expected, rtol=1e-5)
    outside = np.ones(out.shape, bool)
    outside[2 : 2 + rows, 3 : 3 + 2 * lanes] = False
    np.testing.assert_array_equal(out[outside], expected[outside])


def test_row_does_not_depend_on_its_place_in_the_batch() -> None:
    """Whether a row falls into a tile or among the leftovers, its numbers are added in the same order."""
    generator = np.random.default_rng(0)
    x, matrix = (generator.random(shape, np.float32) for shape in ((13, 32), (32, 131)))
    out = np.zeros((13, 131), np.float32)
    loops.add_product(out, x, matrix)
    for row in range(13):
        alone = np.zeros((1, 131), np.float32)
        loops.add_product(alone, x[row : row + 1], matrix)
        np.testing.assert_array_equal(alone[0], out[row])


def test_sigmoid_and_tanh_are_accurate() -> None:
    points = np.concatenate([np.linspace(-100, 100, 2001), np.linspace(-1, 1, 2001)]).astype(np.float32)
    exact = points.astype(np.float64)
    sigmoid, tanh = (np.array([f(x) for x in points]) for f in (loops.sigmoid, loops.tanh))
    with np.errstate(over="ignore"):
        np.testing.assert_allclose(sigmoid, 1 / (1 + np.exp(-exact)), rtol=0, atol=2e-7)
    np.testing.assert_allclose(tanh, np.tanh(exact), rtol=0, atol=4e-7)


def test_buffers_are_used_again_but_never_shared() -> None:
    buffers = cpu._Buffers()
    first, second = buffers.take(10, 10), buffers.take(10, 10)
    assert first.data_ptr() != second.data_ptr()
    address = first.data_ptr()
    del first
    assert buffers.take(9, 10).data_ptr() == address
    assert buffers.take(2).numel() == 2


def test_forked_child_starts_with_no_threads() -> None:
    cpu._executors.append(cpu.ThreadPoolExecutor(1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # fork beside threads is what is tested
        child = os.fork()
    if child == 0:
        os._exit(len(cpu._executors))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    cpu._executors.pop()


HASHED = """
import hashlib, sys, torch
from lit_al.models.kernels import pooled_states
from tests.models.kernels.test_kernels import make_parameters, make_tokens
weights = make_parameters(2, 32)
states = pooled_states(make_tokens(2, 33, 40), *weights, kernel="cpu")
states.square().sum().backward()
found = b"".join(part.detach().numpy().tobytes() for part in (states, *(weight.grad for weight in weights)))
print(hashlib.sha256(found).hexdigest())
"""


def test_compiled_anew_or_from_the_cache_every_bit_is_the_same(tmp_path: Path) -> None:
    """Where a helper is inlined in the one and called in the other, a product and a sum are fused in one alone."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", HASHED]
    root = Path(__file__).parents[3]
    compiled_anew, from_cache = (
        subprocess.run(command, cwd=root, env=environment, check=True, capture_output=True, text=True).stdout
        for _ in range(2)
    )
    assert list(tmp_path.rglob("*.nbc"))
    assert compiled_anew == from_cache


def test_no_writable_cache_still_compiles(monkeypatch: pytest.MonkeyPatch) -> None:
    njit = numba.njit

    def refuse(function: object, cache: bool = False, **options: object) -> object:
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return njit(function, **options)

    monkeypatch.setattr(numba, "njit", refuse)
    assert compiled(lambda x: x + 1)(1) == 2


def test_unknown_or_unfit_kernel_raises_config_error() -> None:
    with pytest.raises(ConfigError, match="kernel='fast' is unknown; choose one of auto, cpu, cuda, lstm, reference"):
        pooled_states(make_tokens(1, 2), *make_parameters(), kernel="fast")
    with pytest.raises(ConfigError, match=r"kernel='cpu' runs float32 on CPU but got torch\.float64 on cpu"):
        pooled_states(make_tokens(1, 2), *make_parameters(dtype=torch.float64), kernel="cpu")


def test_without_numba_auto_falls_back_and_says_so_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "lit_al.models.kernels.cpu", None)
    kernels._form.cache_clear()
    with caplog.at_level(logging.WARNING, logger="lit_al"):
        for _ in range(2):
            pooled_states(make_tokens(1, 2), *make_parameters())
    assert [record.getMessage().split(" (")[0] for record in caplog.records] == ["kernel='cpu' needs numba"]
    with pytest.raises(ConfigError, match="kernel='cpu' needs numba"):
        pooled_states(make_tokens(1, 2), *make_parameters(), kernel="cpu")
    kernels._form.cache_clear()


def test_importing_the_package_does_not_import_numba() -> None:
    code = "import sys, lit_al.models.kernels; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
