import pytest
import torch

from lit_al.models.checkpoint import save_model
from lit_al.models.lit_bilstm import LitBiLSTM
from lit_al.text.encoder import TextEncoder

WORDS = ["win cash free prize", "meeting lunch report tomorrow"]


@pytest.fixture(scope="session")
def write_model():
    """Writes a checkpoint of a network that knows nothing, another one for each seed."""

    def write(path, seed=0):
        encoder = TextEncoder.fit(WORDS * 2, vocabulary_size=12, max_length=30)
        torch.manual_seed(seed)
        model = LitBiLSTM(("ham", "spam"), encoder.state_dict(), embedding_size=8, hidden_size=5, dense_size=6)
        with torch.no_grad():
            for weight in model.parameters():
                weight.mul_(3)
        return save_model(model.eval(), path)

    return write
