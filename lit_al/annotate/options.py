"""The command lines of labeling: `lit-al annotate`, `lit-al label`, `lit-al agreement`."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from lit_al.annotate.project import DEFAULTS, ProjectSettings
from lit_al.exceptions import ConfigError
from lit_al.utils.arguments import Parser

_SETTINGS = ("strategy", "retrain_every", "seed", "overlap", "show_suggestions", "cold_start", "resolve")


@dataclass(frozen=True)
class Serving:
    """How the page is served.

    Attributes:
        host: address to listen at.
        port: the first one to try.
        annotators: names; empty for those of the run, or for who is at the keyboard.
        allow_hosts: further names that this machine is called by.
        browser: open one.
        training: train a model meanwhile.
    """

    host: str = "127.0.0.1"
    port: int = 8765
    annotators: tuple[str, ...] = ()
    allow_hosts: tuple[str, ...] = ()
    browser: bool = True
    training: bool = True


def parse_annotate(arguments: Sequence[str] | None) -> tuple[ProjectSettings, Serving]:
    """What `lit-al annotate` was asked for."""
    parser = Parser(
        prog="lit-al annotate",
        description="Label texts on a page in the browser while a model learns and chooses what to ask next. "
        "The same command again goes on with the same run.",
    )
    add = parser.add_argument
    _add_run(parser)
    add("--annotators", type=_words, default=(), metavar="ann,bob", help="Names; each gets a link of their own.")
    add("--host", default=Serving.host, help="Address to listen at (%(default)s); others need --annotators.")
    add("--port", type=int, default=Serving.port, help="Port (%(default)s), or the next free one; 0 for any.")
    add("--allow-host", type=_words, default=(), metavar="NAME", help="Further names that this machine is called by.")
    add("--no-browser", action="store_true", help="Open no browser.")
    add("--no-training", action="store_true", help="Train no model; texts come in the order that is there.")
    options = parser.parse_args(arguments)
    serving = Serving(
        options.host,
        options.port,
        options.annotators,
        options.allow_host,
        browser=not options.no_browser,
        training=not options.no_training,
    )
    if not 0 <= options.port < 65_536:
        raise ConfigError(f"--port {options.port} must lie in 0 to 65535")
    return _wish(options), serving


@dataclass(frozen=True)
class AtTerminal:
    """How `lit-al label` labels.

    Attributes:
        annotator: who; None for the one of the run, or for who is at the keyboard.
        training: train a model meanwhile, unless a page does.
    """

    annotator: str | None = None
    training: bool = True


def parse_label(arguments: Sequence[str] | None) -> tuple[ProjectSettings, AtTerminal]:
    """What `lit-al label` was asked for."""
    parser = Parser(prog="lit-al label", description="Label texts in a terminal; every answer is saved at once.")
    parser.add_argument("folder", nargs="?", type=Path, metavar="RUN", help="Folder of a run, as of lit-al annotate.")
    _add_run(parser)
    parser.add_argument("--annotator", metavar="NAME", help="Who labels.")
    parser.add_argument("--no-training", action="store_true", help="Train no model.")
    options = parser.parse_args(arguments)
    if options.folder and (options.run or options.data):
        parser.error("give RUN, --run or --data, not two of them")
    options.run = options.folder or options.run
    return _wish(options), AtTerminal(options.annotator, not options.no_training)


def parse_agreement(arguments: Sequence[str] | None) -> Path:
    """The run that `lit-al agreement` was asked about."""
    parser = Parser(
        prog="lit-al agreement", description="Say how far the annotators of a run agree: Cohen, Krippendorff."
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="Folder of a run.")
    return Path(parser.parse_args(arguments).run)


def _add_run(parser: Parser) -> None:
    """Options that say which run, and how it chooses."""
    add = parser.add_argument
    add("--data", metavar="FILE", help="Texts to label: a .csv, .jsonl or .parquet file, or demo.")
    add(
        "--labels",
        type=_words,
        default=(),
        metavar="a,b",
        help="Names of the labels, with commas; those of --data demo need none.",
    )
    add("--run", type=Path, metavar="RUN", help="Folder of a run to go on with, instead of --data.")
    add("--name", help="Of the run's folder; by default that of the file.")
    add("--log-dir", type=Path, default=ProjectSettings.log_dir, help="Where it goes (%(default)s).")
    add("--text-column", metavar="NAME", help="Column of the texts; found by its usual names if not given.")
    add("--label-column", metavar="NAME", help="Column of labels that are there already.")
    add("--take-labels", action="store_true", help="Take these as answers of an annotator named file.")
    add("--demo-rows", type=int, default=ProjectSettings.demo_rows, help="Texts of --data demo (%(default)s).")
    add("--guidelines", type=Path, metavar="FILE", help="Text that tells annotators what to do; help shows it.")
    add("--strategy", help=f"What chooses the texts ({DEFAULTS['strategy']}); lit-al train --list-strategies.")
    add("--cold-start", choices=["random", "typicality", "kmeans"], help="What chooses the first ones (random).")
    add("--retrain-every", type=int, metavar="N", help=f"Answers between two fits ({DEFAULTS['retrain_every']}).")
    add("--overlap", type=int, metavar="K", help=f"People who label each text ({DEFAULTS['overlap']}).")
    add(
        "--resolve",
        choices=["majority", "latest", "drop"],
        help="Which label is learned from where people disagree: the one given most often (ties have none), the last "
        f"one, or none ({DEFAULTS['resolve']}).",
    )
    add("--show-suggestions", action="store_true", default=None, help="Show what the model thinks before the answer.")
    add("--seed", type=int, help=f"Of the order of texts and of training ({DEFAULTS['seed']}).")


def _wish(options: argparse.Namespace) -> ProjectSettings:
    settings = {name: getattr(options, name) for name in _SETTINGS if getattr(options, name) is not None}
    for name, least in (("overlap", 1), ("retrain_every", 1), ("seed", 0)):
        if settings.get(name, least) < least:
            raise ConfigError(f"--{name.replace('_', '-')} {settings[name]} must be {least} or more")
    if options.run is not None and options.name is not None:
        raise ConfigError("give --run or --name, not both")
    asked = {item.name: getattr(options, item.name) for item in fields(ProjectSettings) if item.name != "settings"}
    return ProjectSettings(**asked, settings=settings)


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())
