"""The card of a model: what it is, what it learned from, how good it is and by which labels, what is wrong with it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from huggingface_hub import EvalResult, ModelCardData
from markupsafe import Markup

from lit_al.calibration import BINS
from lit_al.delivery.delivery_options import OPSET, ExportModelOptions
from lit_al.delivery.origin import Origin
from lit_al.metrics import Evaluation, percent
from lit_al.models.frozen import FrozenBiLSTM
from lit_al.reporting.pages import render
from lit_al.text.encoder import TextEncoder
from lit_al.utils.intervals import wilson

_FEW: Final = 30  # labels of a class, under which its figures say little
_PYTHON: Final = """import numpy as np
import onnxruntime
from tokenizers import Tokenizer

tokenizer = Tokenizer.from_file("tokenizer.json")
session = onnxruntime.InferenceSession("model.onnx")
tokenizer.no_padding()


def probabilities(texts):
    found = [one.ids for one in tokenizer.encode_batch(texts)]
    kept = {kept}
    width = {width}
    ids = np.array([[*one, *[0] * (width - len(one))] for one in kept], np.int64)
    return session.run(["probabilities"], {{"input_ids": ids}})[0]  # (texts, classes), classes as in config.json


print(probabilities(["a text"]))"""
_JAVASCRIPT: Final = """import {{ readFile }} from "node:fs/promises";
import {{ Tokenizer }} from "@huggingface/tokenizers";
import * as ort from "onnxruntime-node";

const read = async (name) => JSON.parse(await readFile(name, "utf8"));
const tokenizer = new Tokenizer(await read("tokenizer.json"), await read("tokenizer_config.json"));
const session = await ort.InferenceSession.create("model.onnx");

export async function probabilities(text) {{
  const ids = tokenizer.encode(text).ids;
  const kept = {kept};
  const input = new BigInt64Array({width});
  input.set(kept.map(BigInt));
  return (await session.run({{ input_ids: new ort.Tensor("int64", input, [1, input.length]) }})).probabilities.data;
}}

console.log(await probabilities("a text"));"""
_FILES: Final = {
    "model.onnx": "the network as an ONNX graph of opset {opset}, {precision}: input_ids (texts, length) int64 in, "
    "probabilities (texts, classes) float32 out",
    "tokenizer.json": "texts to ids, for the tokenizers library: {tokenizer}",
    "tokenizer_config.json": "what is unknown and what pads, for JavaScript's library and transformers",
    "model.safetensors": "the weights, float32",
    "config.json": "class names in their order, sizes, calibration, where the model is from",
}


@dataclass(frozen=True)
class Judged:
    """A model by labels that it has not learned from.

    Attributes:
        evaluation: what came of it.
        source: of the texts.
    """

    evaluation: Evaluation
    source: str


def model_card(
    model: FrozenBiLSTM,
    origin: Origin,
    asked: ExportModelOptions,
    calibration: Mapping[str, Any] | None,
    judged: Judged | None,
) -> str:
    """The file `README.md`, with the front matter that the hub reads."""
    encoder, title = model.encoder, asked.to.resolve().name
    assert encoder is not None  # as `export_model` has seen
    return render(
        "model_card.md",
        front_matter=Markup(_front_matter(title, origin, asked, judged)),
        title=title,
        what=_what(model, encoder),
        onnx=asked.onnx,
        python=Markup(python_code(encoder, model.net.lstm.masked)),
        javascript=Markup(javascript_code(encoder, model.net.lstm.masked)),
        facts=list(_facts(origin, model.classes)),
        judged=[*_by_held_out(judged, model.classes), *_by_run(origin)],
        calibration=_calibration(calibration),
        flaws=list(_flaws(model, encoder, origin, judged, asked)),
        files=list(_files(encoder, asked)),
        license=asked.license or "none given: ask whoever made this model",
    )


def python_code(encoder: TextEncoder, masked: bool) -> str:
    """Text in, probabilities out, in Python; a masked network needs no more padding than its batch."""
    length, head, tail = _kept(encoder)
    middle = f"[[*one[:{head}], *one[max({head}, len(one) - {tail}) :]] for one in found]"
    return _PYTHON.format(
        kept="found" if encoder.cut == "end" else middle, width="max(1, *map(len, kept))" if masked else length
    )


def javascript_code(encoder: TextEncoder, masked: bool) -> str:
    """Text in, probabilities out, in JavaScript, whose library neither cuts nor pads."""
    length, head, tail = _kept(encoder)
    middle = f"[...ids.slice(0, {head}), ...ids.slice(Math.max({head}, ids.length - {tail}))]"
    return _JAVASCRIPT.format(
        kept=f"ids.slice(0, {length})" if encoder.cut == "end" else middle,
        width="Math.max(1, kept.length)" if masked else length,
    )


def _kept(encoder: TextEncoder) -> tuple[int, int, int]:
    """Ids that are kept of a long text, and how many of them from its beginning and its end if it is cut between."""
    length = encoder.max_length
    return length, length - length // 2, length // 2


def _front_matter(title: str, origin: Origin, asked: ExportModelOptions, judged: Judged | None) -> str:
    figures = [
        EvalResult("text-classification", "text", data, kind, round(value, 4), metric_name=f"{words}, {by}")
        for by, data, accuracy, macro in _accuracies(origin, judged)
        for kind, words, value in (("accuracy", "accuracy", accuracy), ("f1", "macro-F1", macro))
    ]
    card = ModelCardData(
        language=asked.language or None,
        license=asked.license or None,
        library_name="lit_al",
        pipeline_tag="text-classification",
        tags=["active-learning", "bilstm", *(["onnx"] if asked.onnx else [])],
        datasets=[origin.source.removeprefix("hub ")] if origin.source.startswith("hub ") else None,
        model_name=title if figures else None,
        eval_results=figures or None,
    )
    return str(card.to_yaml())


def _accuracies(origin: Origin, judged: Judged | None) -> Iterator[tuple[str, str, float, float]]:
    if judged is not None:
        yield "held-out texts", judged.source, judged.evaluation.accuracy, judged.evaluation.macro_f1
    if origin.judged and origin.judged.get("macro_f1") is not None:
        yield origin.judged["by"], origin.source, origin.judged["accuracy"], origin.judged["macro_f1"]


def _what(model: FrozenBiLSTM, encoder: TextEncoder) -> str:
    size = sum(weight.numel() for weight in model.parameters())
    shown = ", ".join(model.classes[:20]) + (", …" if len(model.classes) > 20 else "")
    of_keras = "reads its padding too, as the Keras example does"
    return (
        f"A text classifier of {len(model.classes)} classes ({shown}): a bidirectional LSTM of {size:,} parameters "
        f"over {encoder.units}, {len(encoder.vocabulary):,} of which it knows. It reads the {_first(encoder)} of a "
        f"text, and {'depends on these alone' if model.net.lstm.masked else of_keras}."
    )


def _first(encoder: TextEncoder) -> str:
    if encoder.cut == "end":
        return f"first {encoder.max_length:,} {encoder.units}"
    return f"first and last {encoder.max_length // 2:,} {encoder.units}"


def _facts(origin: Origin, classes: Sequence[str]) -> Iterator[tuple[str, str]]:
    """What is known of the run, name and value."""
    named = {
        "texts": f"{origin.source}{f', {origin.texts:,} texts' if origin.texts else ''}" if origin.source else "",
        "fingerprint of the texts": origin.fingerprint,
        "labels paid for": f"{origin.labels:,}" if origin.labels else "",
        "of them": ", ".join(f"{name} {count:,}" for name, count in origin.spent.items()),
        "protocol": origin.protocol,
        "texts to label were chosen by": origin.strategy,
        "trained with": ", ".join(f"{name} {version}" for name, version in origin.versions.items()),
    }
    known = [(name, value) for name, value in named.items() if value]
    yield from known or [("origin", "not known: the model was exported from a checkpoint without its run")]
    yield "classes", f"{len(classes)}"


def _by_held_out(judged: Judged | None, classes: Sequence[str]) -> Iterator[dict[str, Any]]:
    if judged is None:
        return
    confusion = judged.evaluation.confusion
    taken = confusion.matrix.sum(axis=0).tolist()
    rows = zip(classes, confusion.per_class(classes).values(), taken, strict=True)
    yield {
        "lead": f"By {confusion.rows:,} labels of {judged.source}, which whoever exported the model gave as held out:",
        "figures": [
            ("accuracy", f"{confusion.accuracy:.4f}", _interval(confusion.interval)),
            ("macro-F1", f"{confusion.macro_f1:.4f}", _interval(confusion.macro_f1_interval)),
            ("loss", f"{judged.evaluation.loss:.4f}", ""),
        ],
        "classes": [_class(name, figures, claimed) for name, figures, claimed in rows],
    }


def _by_run(origin: Origin) -> Iterator[dict[str, Any]]:
    found = origin.judged
    if not found:
        return
    figures = [("accuracy", f"{found['accuracy']:.4f}", _interval((found["low"], found["high"])))]
    if found.get("macro_f1") is not None:
        macro = (found["macro_f1_low"], found["macro_f1_high"]) if "macro_f1_low" in found else None
        figures.append(("macro-F1", f"{found['macro_f1']:.4f}", _interval(macro) if macro else ""))
    classes = (found.get("per_class") or {}).items()
    yield {"lead": f"By its run, {found['by']}:", "figures": figures, "classes": [_class(*one) for one in classes]}


def _class(name: str, figures: Mapping[str, float], claimed: int = 0) -> list[str]:
    """A row of the table of classes; with how many texts were taken for it, precision has its interval too."""
    support = int(figures["support"])
    recall, precision = f"{figures['recall']:.3f}", f"{figures['precision']:.3f}"
    if support:
        recall += f" ({_interval(wilson(figures['recall'], support), 3)})"
    if claimed:
        precision += f" ({_interval(wilson(figures['precision'], claimed), 3)})"
    return [name, f"{support:,}", precision, recall, f"{figures['f1']:.3f}"]


def _interval(ends: tuple[float, float], digits: int = 4) -> str:
    return f"{ends[0]:.{digits}f} to {ends[1]:.{digits}f}"


def _calibration(found: Mapping[str, Any] | None) -> str:
    if not found:
        return (
            "Not calibrated: the probabilities are as the network learned them, and are often too sure. With --data of "
            "held-out labels lit-al export-model calibrates them."
        )
    return (
        f"The logits are divided by a temperature of {found['temperature']:g}, fitted by {found['rows']:,} labels of "
        f"{found['by']} (Guo et al. 2017); the weights hold it already, and no answer is changed by it. Expected "
        f"calibration error, {BINS} bins: {found['ece_before']:.4f} before, {found['ece_after']:.4f} after, by labels "
        "that the temperature was not fitted by."
    )


def _flaws(
    model: FrozenBiLSTM, encoder: TextEncoder, origin: Origin, judged: Judged | None, asked: ExportModelOptions
) -> Iterator[str]:
    """What a user should know before trusting it, a sentence each."""
    if origin.demo:
        yield "It learned from made-up reviews; no figure of it says anything about real texts."
    yield from (f"Its protocol {flaw}." for flaw in origin.flaws)
    if judged is None and not origin.judged:
        yield "No label has judged it."
    if judged is not None:
        confusion = judged.evaluation.confusion
        rare = [name for name, rows in zip(model.classes, confusion.support, strict=True) if rows < _FEW]
        if rare:
            yield f"Fewer than {_FEW} held-out labels judge {', '.join(rare[:20])}."
        worst = int(confusion.recall.argmin())
        yield f"It finds {percent(confusion.recall[worst])} of the texts of its worst class, {model.classes[worst]}."
    yield f"It reads no more than the {_first(encoder)} of a text; what it has not met is unknown to it."
    yield "It gives every text one of its classes, also one that belongs to none; a low probability is a reason to ask."
    if encoder.cut == "middle":
        yield "No tokenizer.json can cut texts in the middle: it leaves them whole; who reads its ids has to cut them."
    if encoder.units != "words" or encoder.how == "unicode":
        yield (
            "tokenizer.json gives the ids of the package itself for all texts, but for several combining marks on one "
            "letter that Unicode has since version 11, which the libraries may order otherwise."
        )
    if asked.precision == "int8":
        yield "model.onnx multiplies whole numbers of 8 bits: its probabilities differ from those of the weights."
    if not model.net.lstm.masked:
        yield f"Texts must be padded to {encoder.max_length:,} ids, as tokenizer.json does: padding is read like words."


def _files(encoder: TextEncoder, asked: ExportModelOptions) -> Iterator[tuple[str, str]]:
    cut = "cut at the end and padded" if encoder.cut == "end" else "padded, but not cut"
    words = {"opset": OPSET, "precision": asked.precision, "tokenizer": f"{encoder.units}, {cut}"}
    for name, about in _FILES.items():
        if name != "model.onnx" or asked.onnx:
            yield name, about.format(**words)
