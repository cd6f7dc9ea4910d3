import pytest

from lit_al.exceptions import CheckpointError
from lit_al.models.lit_bilstm import LitBiLSTM
from lit_al.models.prediction import classify
from lit_al.text.encoder import TextEncoder

ENCODER = TextEncoder.fit(["a good film", "a bad film"], vocabulary_size=6, max_length=4).state_dict()


@pytest.mark.parametrize("classes", [("no", "yes"), ("a", "b", "c")])
def test_classify_names_the_most_probable_class(classes):
    model = LitBiLSTM(classes, ENCODER, embedding_size=4, hidden_size=2)
    for found in classify(model, ["good film", "", "unknown words only"]):
        assert found.probability == found.probabilities[found.label] == max(found.probabilities.values())
        assert sum(found.probabilities.values()) == pytest.approx(1)


def test_classify_streams_and_keeps_the_order():
    model = LitBiLSTM(("no", "yes"), ENCODER, embedding_size=4, hidden_size=2)
    words = ["good", "bad", "film", "a b c"]
    texts = [words[n % 4] for n in range(2_500)]
    found = list(classify(model, iter(texts)))
    assert len(found) == 2_500
    assert [one.probability for one in found[:4]] == pytest.approx([one.probability for one in found[2_496:]])


def test_classify_without_a_vocabulary_is_refused():
    with pytest.raises(CheckpointError, match="no vocabulary"):
        list(classify(LitBiLSTM(), ["x"]))
