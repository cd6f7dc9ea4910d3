"""A model as a folder of plain files, which other programs read: weights, settings, tokenizer.

    model.safetensors   the weights, by their names in `LitBiLSTM`
    config.json         class names, sizes, how texts are read; what else stands in it is left to whoever wrote it
    tokenizer.json      the encoder for the `tokenizers` library, with its vocabulary; beside it tokenizer_config.json,
                        which JavaScript's library asks what is unknown

Nothing in them is executed. `LitBiLSTM.from_pretrained`, `checkpoint.load_model` and `lit-al predict` read such a
folder; `LitBiLSTM.save_pretrained` and `lit-al export-model` write it.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lit_al.data.hub import endpoint, why_unreachable
from lit_al.exceptions import CheckpointError, ConfigError
from lit_al.text.encoder import RESERVED, TextEncoder
from lit_al.utils.folders import write_bytes, write_text
from lit_al.utils.terminal_text import first_line

if TYPE_CHECKING:
    from torch import Tensor

WEIGHTS: Final = "model.safetensors"
CONFIG: Final = "config.json"
TOKENIZER: Final = "tokenizer.json"
TOKENIZER_CONFIG: Final = "tokenizer_config.json"
SCHEMA: Final = 1  # of config.json; docs/deploy.md describes it

_SIZES: Final = ("vocabulary_size", "embedding_size", "hidden_size", "dense_size", "dropout", "masked")
_LARGEST: Final = 2**26  # bytes of a file of JSON: a vocabulary of 65,536 words has two million


def is_model_folder(path: Path | str) -> bool:
    """Is a model in there, or was one meant to be?"""
    return (Path(path) / WEIGHTS).is_file()


def config_of(settings: Mapping[str, Any], encoder: TextEncoder | None) -> dict[str, Any]:
    """What `config.json` says of a model.

    Args:
        settings: the arguments of `LitBiLSTM`.
        encoder: that reads its texts; None where it has none.
    """
    classes = list(settings["classes"])
    sizes = {name: settings[name] for name in _SIZES if name in settings}
    if encoder is not None:
        sizes["vocabulary_size"] = len(encoder.vocabulary)
    reads = encoder and {name: getattr(encoder, name) for name in ("units", "how", "cut", "max_length")}
    return {
        "library": "lit_al",
        "schema": SCHEMA,
        "model_type": "bilstm",
        "classes": classes,
        "id2label": {str(number): name for number, name in enumerate(classes)},
        "label2id": {name: number for number, name in enumerate(classes)},
        **sizes,
        "reads": reads,
    }


def write_model(
    folder: Path, config: Mapping[str, Any], weights: Mapping[str, "Tensor"], encoder: TextEncoder | None
) -> None:
    """Write the files; of a model that reads no texts there is no tokenizer.

    Raises:
        ConfigError: the encoder cannot be written: see `text.portable.tokenizer_of`.
        RunError: a file cannot be written.
    """
    from safetensors.torch import save

    folder.mkdir(parents=True, exist_ok=True)
    if encoder is not None:
        write_text(folder / TOKENIZER, encoder.tokenizer.to_str(pretty=False) + "\n")
        padding, unknown = RESERVED
        kind = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": encoder.max_length}
        write_text(folder / TOKENIZER_CONFIG, _as_json({**kind, "unk_token": unknown, "pad_token": padding}))
    plain = {name: weight.detach().cpu().contiguous() for name, weight in weights.items()}
    write_bytes(folder / WEIGHTS, save(plain, metadata={"format": "pt"}))
    write_text(folder / CONFIG, _as_json(config))


def read_model(folder: Path) -> tuple[dict[str, Any], "dict[str, Tensor]"]:
    """The arguments of `LitBiLSTM`, and the weights.

    Raises:
        CheckpointError: a file is missing or is none of these.
    """
    from safetensors.torch import load

    config = read_config(folder)
    settings: dict[str, Any] = {name: config[name] for name in ("classes", *_SIZES) if name in config}
    if config.get("reads") is not None:
        settings["encoder"] = _encoder(folder, config["reads"])
    try:
        return settings, load((folder / WEIGHTS).read_bytes())
    except OSError as error:
        raise CheckpointError(f"{folder / WEIGHTS} cannot be read: {error.strerror or error}") from error
    except Exception as error:  # whatever a file of somebody else's does to safetensors
        raise CheckpointError(
            f"{folder / WEIGHTS} is no file of weights, or it is damaged: {first_line(error)}; export the model again"
        ) from error


def read_config(folder: Path) -> dict[str, Any]:
    """The contents of `config.json`.

    Raises:
        CheckpointError: it is missing, or not of this package.
    """
    config = _json(folder / CONFIG)
    if not isinstance(config, dict) or config.get("library") != "lit_al":
        raise CheckpointError(
            f"{folder / CONFIG} is not of a model of lit_al; give a folder that lit-al export-model has written"
        )
    if config.get("schema") != SCHEMA:
        raise CheckpointError(
            f"{folder / CONFIG} is not of schema {SCHEMA}; was it written by another version of lit_al?"
        )
    return config


@contextmanager
def asking_hub(name: Path | str, place: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """`place` for `from_pretrained`, of the cache alone where the hub is silent; what it says instead is one sentence.

    Raises:
        CheckpointError: no model of this name, or neither the hub nor its cache has it now.
    """
    from huggingface_hub import constants
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, HFValidationError

    silence, place = None, dict(place)
    if not (Path(name).is_dir() or place.get("local_files_only") or constants.HF_HUB_OFFLINE):
        # else its client tries again for half a minute
        silence = why_unreachable(endpoint(), file=f"{name}/resolve/main/{CONFIG}")
        place["local_files_only"] = bool(silence)
    try:
        yield place
    except (EntryNotFoundError, HfHubHTTPError, HFValidationError) as error:
        raise CheckpointError(
            f"{name} is no folder, and neither the hub nor its cache has such a model "
            f"({silence or first_line(error)}); give the folder of a model, or its name while the hub can be reached"
        ) from error


def downloaded(name: str, **place: Any) -> Path:
    """The folder in the hub's cache, its files fetched where they are not there; `place` as of `hf_hub_download`."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError

    folder = Path(hf_hub_download(name, WEIGHTS, **place)).parent
    hf_hub_download(name, CONFIG, **place)
    with suppress(EntryNotFoundError):  # one that reads no texts has no tokenizer
        hf_hub_download(name, TOKENIZER, **place)
    return folder


def _encoder(folder: Path, reads: Any) -> dict[str, Any]:
    """`TextEncoder.state_dict`, whose vocabulary is the tokenizer's."""
    tokenizer = _json(folder / TOKENIZER)
    try:
        model = tokenizer["model"]
        words = sorted(model["vocab"], key=model["vocab"].__getitem__)
        merges = [list(pair) for pair in model.get("merges", ())]
        state = {"vocabulary": words, "merges": merges, **{name: reads[name] for name in ("units", "how", "cut")}}
        encoder = TextEncoder.from_state_dict({**state, "max_length": reads["max_length"]})
        if [model["vocab"][word] for word in words] != list(range(len(words))):
            raise ConfigError("the numbers of its words have gaps")
    except (ConfigError, LookupError, TypeError, AttributeError, ValueError) as error:
        raise CheckpointError(
            f"{folder / TOKENIZER} does not say how this model reads texts ({first_line(error)}); export it again"
        ) from error
    return encoder.state_dict()


def _as_json(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _json(path: Path) -> Any:
    try:
        if path.stat().st_size > _LARGEST:
            raise CheckpointError(f"{path} is too large to be of a model of lit_al")
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CheckpointError(
            f"{path} cannot be read: {error.strerror or error}; give a folder that lit-al export-model has written"
        ) from error
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} is no JSON ({first_line(error)}); export the model again") from error
