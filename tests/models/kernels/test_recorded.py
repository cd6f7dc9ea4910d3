"""The network as a program that torch can record: exported and traced, it says what it said before."""

import warnings

import pytest
import torch

from lit_al.models.bilstm import BiLSTM

TOKENS = torch.tensor([[3, 1, 4, 1, 5, 9], [2, 6, 5, 0, 0, 0], [0, 0, 0, 0, 0, 0]])
OTHERS = torch.tensor([[7, 7, 0, 0, 0, 0], [1, 2, 3, 4, 5, 6]])


@pytest.mark.parametrize("kernel", ["auto", "lstm", "reference"])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("way", ["export", "trace"])
def test_recorded_network_is_the_network(kernel, masked, way):
    net = BiLSTM(10, 3, 4, 5, 6, kernel=kernel, masked=masked).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's, of its own parts and of shapes that it takes for constants
        if way == "export":
            shapes = {"tokens": {0: torch.export.Dim("texts", min=1)}}
            recorded = torch.export.export(net, (TOKENS,), dynamic_shapes=shapes).module()
        else:
            recorded = torch.jit.trace(net, TOKENS, check_trace=False)
        for tokens in (TOKENS, OTHERS):
            torch.testing.assert_close(recorded(tokens), net(tokens), rtol=0, atol=1e-6)


def test_ids_outside_the_table_are_still_refused_where_nothing_is_recorded():
    with pytest.raises(IndexError, match="outside the embedding table"):
        BiLSTM(10, 3, 4, 5, 6)(TOKENS + 9)
