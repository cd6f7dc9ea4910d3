"""The network as an ONNX graph: token ids in, probabilities out, any number of texts of any length.

The graph is written node by node: ONNX has the bidirectional LSTM as one operator, so that it is a dozen nodes, and no
exporter's version has a say in it.

    input_ids (B, T) → Gather → LSTM, both directions → maximum over time → Gemm, ReLU → Gemm → probabilities (B, C)

Where the network is masked, the LSTM is told how long each text is: steps behind it have state 0, as they have here.
Where it is not, padding is words like any other, and ids must come padded as `tokenizer.json` pads them.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from lit_al.delivery.delivery_options import OPSET, Precision
from lit_al.models.bilstm import BiLSTM
from lit_al.typing import Float32s, Floats

_IR: Final = 8  # the form of the file that goes with it: runtimes of 2022 and later read it
_ORDER: Final = (0, 3, 1, 2)  # ONNX has input, output, forget, cell; we have input, forget, cell, output


def onnx_model(net: BiLSTM, facts: Mapping[str, Any], precision: Precision = "fp32") -> bytes:
    """The file `model.onnx`.

    Args:
        net: the network, on any device.
        facts: by name; they are written into the file as JSON, such as the names of the classes.
        precision: `fp16` keeps the weights in half the space and computes as `fp32` does; `int8` keeps words and
            weights in a quarter, and multiplies whole numbers.
    """
    graph = _Graph(half=precision == "fp16")
    graph.network(net)
    model = graph.finished({name: json.dumps(value, ensure_ascii=False) for name, value in facts.items()}, net)
    onnx.checker.check_model(model, full_check=True)
    return _quantized(model) if precision == "int8" else bytes(model.SerializeToString())


def _quantized(model: Any) -> bytes:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with TemporaryDirectory() as folder:
        whole, small = Path(folder) / "whole.onnx", Path(folder) / "small.onnx"
        onnx.save(model, whole)
        quantize_dynamic(whole, small, per_channel=True, weight_type=QuantType.QInt8)
        return small.read_bytes()


class _Graph:
    """Nodes and weights, as they are put together.

    Args:
        half: weights are kept in float16, and made float32 when the model is loaded.
    """

    def __init__(self, half: bool) -> None:
        self.half = half
        self.nodes: list[Any] = []
        self.weights: list[Any] = []

    def network(self, net: BiLSTM) -> None:
        """All nodes, from `input_ids` to `probabilities`."""
        lstm, classes = net.lstm, net.head.out_features
        hidden = lstm.recurrent_kernel.shape[1]
        words = self.add("Gather", [self.weight("embedding", net.embedding.weight), "input_ids"])  # (B, T, E)
        steps = self.add("Transpose", [words], perm=[1, 0, 2])  # (T, B, E)
        bias = _by_gate(lstm.bias[:, :, None])[:, :, 0]  # (2, 4H); ONNX adds a second one, zero here
        weights = {
            "input_kernel": _by_gate(lstm.input_kernel.transpose(1, 2)),  # (2, 4H, E)
            "recurrent_kernel": _by_gate(lstm.recurrent_kernel.transpose(1, 2)),  # (2, 4H, H)
            "bias": np.concatenate([bias, np.zeros_like(bias)], axis=1),  # (2, 8H)
        }
        inputs = [steps, *(self.weight(name, values) for name, values in weights.items())]
        lengths = [self._lengths()] if lstm.masked else []
        states = self.add("LSTM", [*inputs, *lengths], direction="bidirectional", hidden_size=hidden)  # (T, 2, B, H)
        pooled = self.add("ReduceMax", [states], axes=[0], keepdims=0)  # (2, B, H)
        if lstm.masked:
            pooled = self.add("Relu", [pooled])  # the state of a padded step, whether padding follows or not
        pooled = self.add("Transpose", [pooled], perm=[1, 0, 2])  # (B, 2, H)
        pooled = self.add("Reshape", [pooled, self.constant("both", np.array([0, 2 * hidden], np.int64))])  # (B, 2H)
        dense = self.add("Relu", [self._linear("dense", net.dense, pooled)])
        logits = self._linear("head", net.head, dense)  # (B, 1) or (B, C)
        if classes > 1:
            self.add("Softmax", [logits], output="probabilities", axis=-1)
            return
        others = self.add("Sigmoid", [self.add("Neg", [logits])])
        self.add("Concat", [others, self.add("Sigmoid", [logits])], output="probabilities", axis=1)

    def _lengths(self) -> str:
        """(B,) int32 how many ids of each text are not padding."""
        used = self.add("Not", [self.add("Equal", ["input_ids", self.constant("padding", np.array(0, np.int64))])])
        counted = self.add("Cast", [used], to=TensorProto.INT32)
        return self.add("ReduceSum", [counted, self.constant("along", np.array([1], np.int64))], keepdims=0)

    def _linear(self, name: str, layer: Any, inputs: str) -> str:
        """A dense layer, as a product and a sum: what makes whole numbers of weights knows these."""
        product = self.add("MatMul", [inputs, self.weight(f"{name}.weight", layer.weight.T)])
        return self.add("Add", [product, self.weight(f"{name}.bias", layer.bias)])

    def add(self, kind: str, inputs: list[str], output: str = "", **attributes: Any) -> str:
        """A node; returns the name of its output."""
        name = output or f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name=f"{kind}_{len(self.nodes)}", **attributes))
        return name

    def weight(self, name: str, values: Any) -> str:
        """Weights of the network, as the graph keeps them; returns the name that they have in float32."""
        array = _array(values)
        if not self.half:
            return self.constant(name, array)
        return self.add("Cast", [self.constant(f"{name}.half", array.astype(np.float16))], name, to=TensorProto.FLOAT)

    def constant(self, name: str, array: Any) -> str:
        """Numbers that stand in the file."""
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def finished(self, facts: Mapping[str, str], net: BiLSTM) -> Any:
        """The model, with its inputs and outputs declared."""
        classes = max(net.head.out_features, 2)
        ids = helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "length"])
        shares = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", classes])
        graph = helper.make_graph(self.nodes, "bilstm", [ids], [shares], self.weights)
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=_IR, producer_name="lit_al"
        )
        helper.set_model_props(model, dict(facts))
        return model


def _array(values: Any) -> Float32s:
    """Numbers of torch's or numpy's, as float32."""
    found: Floats = values.detach().cpu().numpy() if hasattr(values, "detach") else values
    return found.astype(np.float32)


def _by_gate(weights: Any) -> Float32s:
    """(2, 4H, …) in ONNX's order of gates, of weights (2, 4H, …) in ours."""
    gates = np.split(_array(weights), len(_ORDER), axis=1)
    return np.concatenate([gates[gate] for gate in _ORDER], axis=1)
