"""Settings in YAML files, read so that nothing in a file can cost more than the file is long."""

from pathlib import Path
from typing import Any

import yaml

from lit_al.exceptions import ConfigError
from lit_al.utils.terminal_text import first_line

LONGEST = 2**20  # bytes; the longest settings that there are have two thousand


class _Plain(yaml.SafeLoader):
    """YAML without aliases: ten lines of them can stand for a billion words, and no settings need one."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.YAMLError(f"line {mark.line + 1} has an alias (*), which settings do not take; write it out")
        return super().compose_node(parent, index)


def read_settings(path: Path, option: str = "") -> Any:
    """The contents of a YAML file.

    Args:
        path: of the file.
        option: that named it, for the message; "" for none.

    Raises:
        ConfigError: it cannot be read, or is no YAML of plain settings.
    """
    named = f"{option} {path}".strip()
    try:
        with path.open("rb") as file:
            content = file.read(LONGEST + 1)
        if len(content) > LONGEST:
            raise ConfigError(f"{named} is longer than {LONGEST:,} bytes, which no settings are; give another file")
        return yaml.load(content.decode("utf-8-sig"), _Plain)  # a SafeLoader
    except UnicodeDecodeError as error:
        byte = f"byte 0x{error.object[error.start]:02x} at offset {error.start}"
        raise ConfigError(f"{named} is not UTF-8: {byte}; save it as UTF-8") from error
    except OSError as error:
        raise ConfigError(f"{named} cannot be read: {error.strerror or error}; give a file of settings") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = first_line(" ".join(str(error).split()), 200)
        raise ConfigError(f"{named} is no YAML of settings: {reason}; mend it, or give another file") from error
