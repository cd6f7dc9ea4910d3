"""The loops on a device that is not the CPU, without owning one.

An `Elsewhere` says that it lies on another device; an operation that is given one tensor from there and one from the
CPU fails, as it does on a GPU. Its numbers are kept and computed on the CPU. Lightning knows the device as the
accelerator `mps`, whose name it gives a device of its own without asking a driver.
"""

from functools import partial
from types import SimpleNamespace
from unittest.mock import patch

import lightning as L
import numpy as np
import pytest
import torch
from lightning.pytorch.accelerators import AcceleratorRegistry, CPUAccelerator
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map_only, tree_unflatten

from lit_al.benchmark.example_method import ExampleRows
from lit_al.benchmark.methods import Method
from lit_al.data.split import stratified_split
from lit_al.exceptions import ConfigError
from lit_al.experiment.config import TrainConfig
from lit_al.experiment.learning import Learner
from lit_al.loop.active_loop import ActiveLoop
from lit_al.loop.data_module import ActiveDataModule
from lit_al.loop.stopping_monitor import StoppingMonitor
from lit_al.models.batches import Batches
from lit_al.models.bilstm import BiLSTM
from lit_al.models.ensemble import Committee
from lit_al.models.lit_bilstm import LitBiLSTM
from lit_al.models.prediction import classify
from lit_al.models.scoring import evaluate, score
from lit_al.oracles import SimulatedOracle
from lit_al.strategies import make_strategy
from lit_al.text.encoder import TextEncoder
from lit_al.training.callback import ActiveLearningCallback
from lit_al.training.fitted_module import FittedModule
from lit_al.training.fitting import device_of, fit, plain_trainer
from lit_al.training.learner import ActiveLearner
from lit_al.training.pretraining import learn
from lit_al.training.recipe import Recipe
from lit_al.training.step_training import StepTraining

DEVICE = torch.device("lazy", 0)  # of torch's own names one that is not used here and whose gradients need no driver
ATEN = torch.ops.aten
BETWEEN = {ATEN.copy_, ATEN._to_copy, ATEN.index, ATEN.index_put_, ATEN._index_put_impl_}  # may take both, on a GPU too


class Elsewhere(torch.Tensor):
    """A tensor on `DEVICE`."""

    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, held):
        return torch.Tensor._make_wrapper_subclass(cls, held.size(), held.stride(), dtype=held.dtype, device=DEVICE)

    def __init__(self, held):
        self.held = held

    def __reduce_ex__(self, protocol):
        return self.held.__reduce_ex__(protocol)

    def __format__(self, form):
        return format(self.held, form)

    @classmethod
    def __torch_dispatch__(cls, operation, types, args=(), kwargs=None):
        return computed(operation, args, kwargs or {})


class SecondDevice(TorchDispatchMode):
    """Sees to the tensors that are made on `DEVICE`, those of `torch.tensor` too."""

    def __enter__(self):
        torch._C._set_only_lift_cpu_tensors(True)
        return super().__enter__()

    def __exit__(self, *failure):
        torch._C._set_only_lift_cpu_tensors(False)
        return super().__exit__(*failure)

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        return computed(operation, args, kwargs or {})


def computed(operation, args, kwargs):
    """What an operation makes of tensors of either device, on theirs or on the one asked for."""
    flat, spec = tree_flatten((args, kwargs))
    tensors = [value for value in flat if isinstance(value, torch.Tensor)]
    there = any(isinstance(tensor, Elsewhere) for tensor in tensors)
    if there and operation.overloadpacket not in BETWEEN:
        strangers = [tensor for tensor in tensors if tensor.ndim and not isinstance(tensor, Elsewhere)]
        if strangers:
            raise RuntimeError(f"{operation} found tensors on {DEVICE} and on the CPU")
    if operation.overloadpacket is ATEN.copy_ or operation.overloadpacket in (ATEN.index, ATEN.index_put_):
        there = isinstance(tensors[0], Elsewhere)
    if kwargs.get("device") is not None:
        there = torch.device(kwargs["device"]).type == DEVICE.type
    held = [value.held if isinstance(value, Elsewhere) else value for value in flat]
    held = [torch.device("cpu") if isinstance(value, torch.device) else value for value in held]
    given, named = tree_unflatten(held, spec)
    found = operation(*given, **named)
    if operation._schema.name.endswith("_") and isinstance(found, torch.Tensor):
        return args[0]  # changed in its place
    return tree_map_only(torch.Tensor, Elsewhere, found) if there else found


class Accelerator(CPUAccelerator):
    def setup_device(self, device):
        assert device == DEVICE

    @staticmethod
    def get_parallel_devices(devices):
        return [DEVICE]


@pytest.fixture
def second():
    """The name of an accelerator whose device is `DEVICE`."""
    entry = {**AcceleratorRegistry["mps"], "accelerator": Accelerator}
    with patch.dict(AcceleratorRegistry, mps=entry), SecondDevice():
        yield "mps"


@pytest.fixture
def scored(monkeypatch):
    """Where each batch outside a fit was computed."""
    devices = []
    for kind in (BiLSTM, Committee):
        features = kind.features

        def watched(net, tokens, *table, features=features):
            if not torch.is_grad_enabled():
                devices.append(tokens.device)
            return features(net, tokens, *table)

        monkeypatch.setattr(kind, "features", watched)
    return devices


@pytest.fixture(scope="module")
def material(make_corpus):
    corpus = make_corpus()
    encoder = TextEncoder.fit(corpus.texts, max_length=8)
    return corpus, encoder, torch.from_numpy(encoder.encode(corpus.texts))


def make_learner(material, accelerator, folder, strategy="ratio"):
    corpus, encoder, _ = material
    data = ActiveDataModule(corpus, encoder=encoder)
    L.seed_everything(0, verbose=False)
    model = LitBiLSTM(corpus.classes, encoder.state_dict())
    oracle = SimulatedOracle(corpus.labels)
    acquisition = ActiveLearningCallback(oracle, make_strategy(strategy), rounds=1, query_size=20, committee_size=2)
    return ActiveLearner(model, data, acquisition, folder=folder, max_epochs=1, accelerator=accelerator)


def make_loop(material, accelerator, **options):
    corpus, encoder, tokens = material
    of_method = {"recipe": Recipe(steps=3, batch_size=16), "accelerator": accelerator}
    of_method |= {name: options.pop(name) for name in ("recipe", "pretraining", "vectors") if name in options}
    settings = {"seeds": [7], "schedule": (20, 30), "strategy": "entropy", "classes": len(corpus.classes), **options}
    method = StepTraining(tokens, len(encoder.vocabulary), corpus.classes, **of_method)
    return ActiveLoop(method, np.arange(150), SimulatedOracle(corpus.labels), **settings)


def test_tensors_of_two_devices_do_not_mix(second):
    net = torch.nn.Linear(3, 2).to(DEVICE)
    assert net(torch.ones(1, 3).to(DEVICE)).device == DEVICE
    with pytest.raises(RuntimeError, match="on the CPU"):
        net(torch.ones(1, 3))


def test_a_model_stays_where_it_learned_though_lightning_takes_it_to_the_cpu(material, second):
    corpus, encoder, tokens = material
    batches = Batches(tokens, torch.tensor(corpus.labels), torch.arange(30), 16)
    model = LitBiLSTM(corpus.classes, encoder.state_dict())
    fit(plain_trainer(second), model, batches, batches)
    assert model.device == device_of(second) == DEVICE
    plain_trainer(second).fit(model, batches, batches)
    assert model.device == torch.device("cpu")


@pytest.mark.parametrize("strategy", ["ratio", "entropy", "committee-vote", "badge", "typicality:vectors"])
def test_the_examples_loop_judges_chooses_and_tests_on_the_device(strategy, material, second, scored, tmp_path):
    learner = make_learner(material, second, tmp_path, strategy)
    learner.fit()
    assert learner.model.device == learner.data.tokens.device == DEVICE
    judged = learner.test()
    assert judged.confusion.matrix.sum() == len(learner.data.split.test)
    assert len(learner.acquisition.history[0].query.rows) == 20
    assert set(scored) == {DEVICE}


@pytest.mark.parametrize(("model_there", "tokens_there"), [(True, False), (False, True)])
def test_whatever_is_judged_meets_the_model_where_it_is(model_there, tokens_there, material, second):
    corpus, encoder, tokens = material
    model = LitBiLSTM(corpus.classes, encoder.state_dict(), kernel="lstm")
    labels, rows = torch.tensor(corpus.labels), torch.arange(40)
    together = score(model, Batches(tokens, None, rows, 16)), evaluate(model, Batches(tokens, labels, rows, 16))
    told = [*classify(model, corpus.texts[:5])]
    if model_there:
        model.to(DEVICE)
    if tokens_there:
        tokens, labels = tokens.to(DEVICE), labels.to(DEVICE)
    found = score(model, Batches(tokens, None, rows, 16))
    np.testing.assert_allclose(found, together[0], atol=1e-6)
    again = evaluate(model, Batches(tokens, labels, rows, 16))
    assert (again.confusion.matrix == together[1].confusion.matrix).all()
    assert again.loss == pytest.approx(together[1].loss, abs=1e-6)
    for one, other in zip(classify(model, corpus.texts[:5]), told, strict=True):
        assert one.probabilities == pytest.approx(other.probabilities, abs=1e-6)


def test_a_committee_learns_from_tokens_that_lie_elsewhere(material, second):
    corpus, encoder, _ = material
    data = ActiveDataModule(corpus, encoder=encoder)
    model, models = LitBiLSTM(corpus.classes, encoder.state_dict(), kernel="lstm"), FittedModule(committee_size=2)
    data._tokens = data.tokens.to(DEVICE)  # as a Trainer of the caller's own leaves it, with the model on the CPU
    models.take(model, data, epochs=1)
    [seen] = models.look(1, [], [data.split.pool[:9]], {"committee", "vectors"}, set())
    assert seen.pool.committee.shape == (2, 9, 2)
    assert models.committee.device == torch.device("cpu")


@pytest.mark.parametrize(
    "options",
    [
        {"recipe": Recipe(steps=2, batch_size=16, validation="holdout:0.3")},
        {"recipe": Recipe(steps=2, batch_size=16, validation="cross:2")},
        {"recipe": Recipe(steps=2, batch_size=16, weights="shrink", committee_size=2), "strategy": "committee-vote"},
        {"recipe": Recipe(steps=2, batch_size=16, masked=True, weights="fresh"), "strategy": "badge"},
    ],
    ids=["holdout", "cross", "committee", "masked"],
)
def test_the_lean_loop_scores_the_pool_on_the_device(options, material, second, scored):
    for done in make_loop(material, second, **options).rounds():
        assert done.method.model.device == DEVICE
        monitor = StoppingMonitor(None, np.arange(150), 0)
        monitor.record(done.method.score(monitor.rows)[0], done.states[0])
        assert monitor.history[0].predictions.shape == (150,)
    assert set(scored) == {DEVICE}


def test_a_lean_loop_that_goes_on_scores_on_the_device(material, second, scored):
    loop = make_loop(material, second)
    next(loop.rounds())
    weights = {name: weight.cpu() for name, weight in loop.method.model.state_dict().items()}
    state = {**loop.state_dict(), "method": {"model": weights}}
    again = make_loop(material, second)
    again.load_state_dict(state)
    scored.clear()
    again.next_queries()
    assert set(scored) == {DEVICE}


def test_students_and_what_texts_teach_learn_on_the_device(material, second, scored):
    corpus, encoder, tokens = material
    recipe = Recipe(study_steps=1, teacher=True, adversarial=1.0, pretrain=True, vectors=True)
    pretraining = learn(recipe, corpus, np.arange(150), encoder, tokens, accelerator=second)
    loop = make_loop(material, second, recipe=recipe, pretraining=pretraining)
    assert [done.method.model.device for done in loop.rounds()] == [DEVICE, DEVICE]
    assert set(scored) == {DEVICE}


def test_the_labeling_pages_learner_ranks_on_the_device(make_corpus, second, scored):
    corpus = make_corpus(80)
    settings = {"seed": 0, "study_steps": 2, "vocabulary_size": 200, "max_length": 8, "accelerator": second}
    learner, rows = Learner(list(corpus.texts), corpus.classes, settings), np.arange(20)
    learned = learner.learn(rows, corpus.labels[rows], 1)
    assert len(learner.rank(10)) == 10
    assert learned.model.device == DEVICE
    assert set(scored) == {DEVICE}


def test_the_benchmarks_rows_of_the_example_are_judged_on_the_device(material, second, scored, tmp_path, monkeypatch):
    corpus, split = material[0], stratified_split(material[0], seed=0)
    settings = partial(TrainConfig, accelerator=second, max_epochs=1, padding="masked")
    monkeypatch.setattr("lit_al.benchmark.example_method.TrainConfig", settings)
    monkeypatch.setattr("lit_al.benchmark.example_method.TextEncoder", SimpleNamespace(fit=lambda texts: material[1]))
    cells = [*ExampleRows(corpus, split, tmp_path).cells(Method.of("honest/entropy"), 0)]
    assert len(cells) == 4
    assert all(cell.accuracy is not None for cell in cells)
    assert set(scored) == {DEVICE}


def test_an_accelerator_that_is_not_here_is_named(material):
    with pytest.raises(ConfigError, match="accelerator 'abacus'"):
        make_loop(material, "abacus")
