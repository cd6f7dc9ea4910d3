import pytest
import torch

from lit_al.models.bilstm import BiLSTM


def test_parameters_are_those_of_the_example():
    net = BiLSTM()
    layers = {name: sum(p.numel() for p in child.parameters()) for name, child in net.named_children()}
    assert layers == {"embedding": 384_000, "lstm": 41_216, "dense": 1_300, "dropout": 0, "head": 21}


def test_initial_weights_are_those_of_keras():
    torch.manual_seed(0)
    net = BiLSTM()
    assert net.embedding.weight.abs().max() <= 0.05
    assert net.embedding.weight.std().item() == pytest.approx(0.05 / 3**0.5, rel=0.02)
    limit = (6 / (128 + 128)) ** 0.5  # Glorot: square root of 6 over inputs plus outputs, four gates together
    assert 0.99 * limit < net.lstm.input_kernel.abs().max() <= limit
    for direction in net.lstm.recurrent_kernel:
        torch.testing.assert_close(direction @ direction.T, torch.eye(32), atol=1e-5, rtol=0)
    gates = net.lstm.bias.view(2, 4, 32)
    assert (gates[:, 1] == 1).all()
    assert (gates[:, [0, 2, 3]] == 0).all()
    assert (net.dense.bias == 0).all()
    assert (net.head.bias == 0).all()


def by_hand(net, tokens):
    """The same function through torch.nn.LSTM, whose second bias stays zero."""
    lstm = torch.nn.LSTM(128, 32, bidirectional=True, batch_first=True)
    with torch.no_grad():
        for direction, suffix in enumerate(("", "_reverse")):
            getattr(lstm, f"weight_ih_l0{suffix}").copy_(net.lstm.input_kernel[direction].T)
            getattr(lstm, f"weight_hh_l0{suffix}").copy_(net.lstm.recurrent_kernel[direction].T)
            getattr(lstm, f"bias_ih_l0{suffix}").copy_(net.lstm.bias[direction])
            getattr(lstm, f"bias_hh_l0{suffix}").zero_()
    states, _ = lstm(net.embedding(tokens.long()))  # (B, T, 2H)
    return net.head(torch.relu(net.dense(states.amax(dim=1))))


def test_forward_agrees_with_torch_and_pools_over_padding():
    net = BiLSTM().eval()
    tokens = torch.randint(2, 3_000, (5, 150), dtype=torch.int32).to(torch.uint16)
    tokens[0, 3:] = 0  # padding counts: it is not masked
    with torch.no_grad():
        torch.testing.assert_close(net(tokens), by_hand(net, tokens).squeeze(-1), atol=1e-5, rtol=0)


def test_more_classes_have_a_logit_each():
    net = BiLSTM(vocabulary_size=10, classes=3, embedding_size=4, hidden_size=2, dense_size=3)
    assert net(torch.zeros(6, 5, dtype=torch.long)).shape == (6, 3)


def test_every_parameter_learns():
    net = BiLSTM(vocabulary_size=10, embedding_size=4, hidden_size=2, dense_size=8, dropout=0.0)
    net(torch.arange(10).reshape(2, 5)).sum().backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in net.parameters())


def test_masked_logits_depend_on_the_words_alone():
    net = BiLSTM(masked=True).eval()
    tokens = torch.randint(1, 3_000, (5, 20))
    with torch.no_grad():
        padded = torch.nn.functional.pad(tokens, (0, 7))
        torch.testing.assert_close(net(padded), net(tokens), atol=1e-6, rtol=0)
        net.lstm.masked = False
        assert (net(padded) - net(tokens)).abs().max() > 1e-4


def test_padding_of_a_masked_network_learns_nothing():
    net = BiLSTM(vocabulary_size=10, embedding_size=4, hidden_size=2, dense_size=8, dropout=0.0, masked=True)
    net(torch.tensor([[3, 4, 5, 0, 0], [7, 8, 0, 0, 0]])).sum().backward()
    assert net.embedding.weight.grad[[3, 4, 5, 7, 8]].any()
    assert not net.embedding.weight.grad[[0, 1, 2, 6, 9]].any()
