"""What `lit-al serve` can be told: which model, where it listens, who may ask, how much at once."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from lit_al.exceptions import ConfigError
from lit_al.utils.options import REQUIRED, Options, grouped

TOKEN_VARIABLE: Final = "LIT_AL_TOKEN"
_SHORTEST: Final = 16  # characters of a token

model_option, listen_option, limit_option, log_option = map(grouped, ("Model", "Listening", "Limits", "Log"))


@dataclass(frozen=True, kw_only=True)
class ServeOptions(Options):
    """A model to be served."""

    model: Path = model_option(
        REQUIRED,
        "A .ckpt file, the folder of a run or a labeling project, or one of lit-al export-model. It is looked at every "
        "second; when its files change, the new model takes over and no request fails.",
        "MODEL",
        positional=True,
    )
    workers: int = model_option(1, "Processes that hold the model and read texts.", least=1)
    batch_texts: int = model_option(
        256, "Requests that wait are read together, up to so many texts; none waits for others to come.", least=1
    )

    host: Literal["127.0.0.1", "0.0.0.0", "::"] = listen_option(
        "127.0.0.1", "Address to listen at: this machine alone, or all that reach it."
    )
    port: int = listen_option(8000, "Port to listen at, 1024 to 65535.", least=1024)
    token_file: Path | None = listen_option(
        None,
        f"File with the token of Authorization: Bearer TOKEN, which all requests must send; or set {TOKEN_VARIABLE}.",
        "FILE",
    )

    max_texts: int = limit_option(256, "Texts of a request.", least=1)
    max_characters: int = limit_option(20_000, "Characters of a text.", least=1)
    max_bytes: int = limit_option(8_000_000, "Bytes of a request.", least=1_000)
    max_in_flight: int = limit_option(64, "Requests at once; one more gets 429.", least=1)

    log_texts: bool = log_option(False, "Write the texts into the log, too; without this they are nowhere in it.")

    def __post_init__(self) -> None:
        if self.port > 65_535:
            raise ConfigError(f"--port {self.port} must be 65535 or less")

    def token(self) -> str:
        """That each request must carry; "" where none is asked for.

        Raises:
            ConfigError: the file cannot be read, or the token can be guessed or not be sent.
        """
        if self.token_file is None:
            source, found = TOKEN_VARIABLE, os.environ.get(TOKEN_VARIABLE)
            if found is None:
                return ""
        else:
            source = f"--token-file {self.token_file}"
            try:
                found = self.token_file.read_text(encoding="ascii")
            except OSError as error:
                raise ConfigError(f"{source} cannot be read: {error.strerror or error}") from error
            except UnicodeDecodeError:
                raise ConfigError(f"{source} holds more than ASCII, which a header cannot carry") from None
        token = found.strip()
        if len(token) < _SHORTEST or not (token.isascii() and token.isprintable() and " " not in token):
            raise ConfigError(
                f"the token of {source} must be {_SHORTEST} printable characters or more without blanks; "
                "make one with: openssl rand -hex 32"
            )
        return token
