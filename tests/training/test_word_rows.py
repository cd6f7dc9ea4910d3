"""A table learned by the words of each batch is the table that torch's RMSprop learns as a whole."""

import copy

import pytest
import torch

from lit_al.models.ensemble import LitCommittee
from lit_al.models.lit_bilstm import rms_prop
from lit_al.training.word_rows import RowwiseRMSprop, WordRows

SIZES = {"vocabulary_size": 200, "embedding_size": 8, "hidden_size": 4, "dense_size": 5}


@pytest.fixture(params=[False, True], ids=["read", "masked"])
def net(request):
    return LitCommittee([3, 1], ("a", "b", "c"), masked=request.param, dropout=0.0, **SIZES).net


@pytest.fixture
def batches():
    """(M, B, T) ids; most words are in few of them, so that their mean squares fade in between."""
    generator = torch.Generator().manual_seed(0)
    found = [torch.randint(2, 200, (2, 5, 7), generator=generator) for _ in range(30)]
    for number, tokens in enumerate(found):
        tokens[:, :, 4 + number % 3 :] = 0
    return found


def loss_of(logits):
    return (logits.logsumexp(-1) - logits[..., 1]).mean(dim=1).sum()


def test_weights_are_those_of_rmsprop_on_the_whole_table(net, batches):
    whole = copy.deepcopy(net)
    plain = rms_prop(whole.parameters(), 1e-2)
    words = WordRows(net.table)
    ours = RowwiseRMSprop([weight for weight in net.weights if weight is not net.table], words, 1e-2)
    for tokens in batches:
        plain.zero_grad()
        loss_of(whole(tokens)).backward()
        plain.step()

        def closure(tokens=tokens):
            ours.zero_grad()
            loss = loss_of(net(words.take(tokens), words.rows))
            loss.backward()
            return loss

        ours.step(closure)
    for one, other in zip(net.weights, whole.weights, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_places_lead_back_to_the_words_and_the_first_is_padding(net, batches):
    words = WordRows(net.table)
    for tokens in (batches[0].to(torch.uint16), batches[1][:1, :1, :1]):
        places = words.take(tokens)
        assert words.held[0] == 0
        assert torch.equal(words.held[places], tokens.long())
        assert len(words.held.unique()) == len(words.held) <= tokens.numel() + 1
        torch.testing.assert_close(words.rows, net.table.detach()[:, words.held])
