"""The command line. What a user got wrong ends in one sentence and exit code 2; Ctrl-C in 130.

Everything heavy is imported only once the options are known to be right, so that `--help` answers at once.
"""

import argparse
import json
import logging
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from lit_al.benchmark.methods import TRAININGS
from lit_al.exceptions import CheckpointError, ConfigError, DataError, LitALError, StoreError
from lit_al.utils.arguments import Parser
from lit_al.utils.memory import is_shortage
from lit_al.utils.nearest import did_you_mean
from lit_al.utils.terminal_text import first_line, plain, say

if TYPE_CHECKING:
    from lit_al.experiment.resume import Resume
    from lit_al.record import Record

USAGE = """usage: lit-al COMMAND [options]

  train     train a classifier, labeling its training texts round by round
  predict   classify texts with the checkpoint of a run
  explain   say why each text of a round was chosen
  benchmark compare strategies over paired seeds and budgets
  annotate  label texts on a page, while a model learns from the labels
  label     the same in a terminal
  agreement say how far the annotators of a run agree
  recover   make a damaged record of labels sound again
  export    write the labels of a run, or texts to be labeled elsewhere, to a file
  import    take the labels of a file into a run

lit-al COMMAND --help lists a command's options."""


def main(arguments: Sequence[str] | None = None) -> int:
    """`lit-al COMMAND …`."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    commands: dict[str, Callable[[Sequence[str]], int]] = {
        "train": train,
        "predict": predict,
        "explain": explain,
        "benchmark": benchmark,
        "annotate": annotate,
        "label": label,
        "agreement": agreement,
        "recover": recover,
        "export": export,
        "import": import_,
    }
    if words and words[0] in commands:
        return commands[words[0]](words[1:])
    if words in (["--help"], ["-h"]):
        print(USAGE)
        return 0
    if words:
        guess = did_you_mean(words[0], commands)
        say(f"error: there is no command {words[0]!r}; {guess}lit-al --help lists them", sys.stderr)
    else:
        print(USAGE, file=sys.stderr)
    return 2


def train(arguments: Sequence[str] | None = None) -> int:
    """`scripts/train.py …`; returns the exit code."""
    lower = "lower --batch-size, --max-length or --vocabulary-size, or give --data of fewer texts"
    return _guarded(lambda: _train(arguments), lower)


def predict(arguments: Sequence[str] | None = None) -> int:
    """`scripts/predict.py …`; returns the exit code."""
    lower = "give fewer or shorter texts, or the --checkpoint of a smaller model"
    return _guarded(lambda: _predict(arguments), lower)


def explain(arguments: Sequence[str] | None = None) -> int:
    """`lit-al explain …`; returns the exit code."""
    return _guarded(lambda: _explain(arguments))


def benchmark(arguments: Sequence[str] | None = None) -> int:
    """`scripts/benchmark.py …`; returns the exit code."""
    lower = "lower --side-by-side, --batch-size, --max-length or --vocabulary-size, or give --data of fewer texts"
    return _guarded(lambda: _benchmark(arguments), lower)


def recover(arguments: Sequence[str] | None = None) -> int:
    """`lit-al recover …`; returns the exit code."""
    return _guarded(lambda: _recover(arguments))


def export(arguments: Sequence[str] | None = None) -> int:
    """`lit-al export …`; returns the exit code."""
    return _guarded(lambda: _export(arguments))


def import_(arguments: Sequence[str] | None = None) -> int:
    """`lit-al import …`; returns the exit code."""
    return _guarded(lambda: _import(arguments))


def annotate(arguments: Sequence[str] | None = None) -> int:
    """`scripts/annotate.py …`; returns the exit code."""
    return _guarded(lambda: _annotate(arguments), "give --data of fewer texts, or label with --no-training")


def label(arguments: Sequence[str] | None = None) -> int:
    """`lit-al label …`; returns the exit code."""
    return _guarded(lambda: _label(arguments), "give --data of fewer texts, or label with --no-training")


def agreement(arguments: Sequence[str] | None = None) -> int:
    """`lit-al agreement …`; returns the exit code."""
    return _guarded(lambda: _agreement(arguments))


def _guarded(command: Callable[[], None], lower: str = "close other programs, or take a smaller run or file") -> int:
    """Run a command; what a user can mend ends in one sentence, `lower` where there was too little memory."""
    try:
        command()
    except LitALError as error:
        say(f"error: {error}", sys.stderr)
        return 2
    except BrokenPipeError:  # the reader of our output has seen enough, as `head` has
        sys.stderr.close()
        return 141
    except (MemoryError, RuntimeError, OSError) as error:
        if not is_shortage(error):
            raise
        say(f"error: there is too little memory ({first_line(error) or 'MemoryError'}); {lower}", sys.stderr)
        return 2
    except KeyboardInterrupt as stop:
        say("interrupted", sys.stderr)
        return int(getattr(stop, "code", 130))
    return 0


def _train(arguments: Sequence[str] | None) -> None:
    words = list(sys.argv[1:] if arguments is None else arguments)
    if "--list-strategies" in words:
        from lit_al.strategies import describe_strategies

        for line in describe_strategies():
            say(line)
        return
    from lit_al.experiment.resume import parse_resume, wants_resume

    if wants_resume(words) and not {"--help", "-h"} & {*words}:
        _resume(parse_resume(words))
        return
    from lit_al.experiment.config import parse_train

    config = parse_train(arguments).resolved()
    from lit_al.experiment.session import run

    _quiet()
    run(config)


def _resume(order: "Resume") -> None:
    from lit_al.experiment.file_oracle import ready

    if ready(order, say):
        from lit_al.experiment.session import resume

        _quiet()
        resume(order)


def _quiet() -> None:
    """Silence what Lightning says of itself; what matters to a user is in the report."""
    for name in ("lightning.pytorch", "lightning.fabric", "lightning"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="lightning")


def _benchmark(arguments: Sequence[str] | None) -> None:
    parser = Parser(
        prog="benchmark.py",
        description="Compare strategies over paired seeds and growing budgets. Called again with the same --name it "
        "goes on where it was stopped.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--data", default="demo", help="As of train.py.")
    add("--text-column", metavar="NAME", help="Column of the texts; found by its usual names if not given.")
    add("--label-column", metavar="NAME", help="Column of the labels; found by its usual names if not given.")
    add("--demo-rows", type=int, default=50_000, help="Size of the generated corpus.")
    ways = "; ".join(f"{how.name}: {how.words}" for how in TRAININGS.values() if how.name)
    add("--strategies", type=_words, default="random,entropy,badge", help="Rows, with commas: a strategy as of "
        f"train.py in the lean loop, or HOW/STRATEGY, or a model of its own; {ways}; a recipe, as in lean/margin or "
        "scratch+vectors/random. tfidf-lr and lsa-lr stand alone "
        "or with :margin, full alone.")  # fmt: skip
    add("--seeds", type=int, default=5, help="Runs of each row.")
    add("--budgets", type=_numbers, default="100,200,400,800", help="Labels at which each strategy is judged.")
    add("--judge", choices=["test", "validation"], default="test", help="Rows that judge; settings are chosen on "
        "validation, so that the test set stays unseen.")  # fmt: skip
    add("--vocabulary-size", type=int, default=3_000, help="Words of the network.")
    add("--max-length", type=int, default=150, help="Words kept of each text.")
    add("--cut", choices=["end", "middle"], default="end", help="Which words of a longer text are dropped.")
    add("--padding", choices=["read", "masked"], default="read", help="Read by the LSTM as a word, or without state.")
    add("--steps", type=int, default=200, help="Training steps of a fit on labels alone.")
    add("--batch-size", type=int, default=64, help="Texts per step of such a fit.")
    add("--study-steps", type=int, default=350, help="Training steps of a fit that learns from the pool.")
    add("--split-seed", type=int, default=0, help="Of the split.")
    add("--side-by-side", type=int, default=5, help="Seeds in one batched pass.")
    add("--oracle-noise", default="0", help="How the oracle errs: a rate, or a CSV file with a row of shares per "
        "class; accuracy is judged by true labels.")  # fmt: skip
    add("--oracle-skip", type=float, default=0.0, help="Share of questions that it does not answer; they are paid for.")
    add("--targets", type=_shares, default="", help="Accuracies whose labels the report counts, as in 0.86,0.9; "
        "without any, what random picks reach at half their budget.")  # fmt: skip
    add("--name", default="benchmark", help="Of the folder below --log-dir.")
    add("--log-dir", default="lightning_logs", help="Where folders go.")
    options = vars(parser.parse_args(arguments))
    from rich import get_console

    from lit_al.benchmark.runner import run_benchmark
    from lit_al.benchmark.settings import BenchConfig

    _quiet()
    run_benchmark(BenchConfig(**options), get_console())


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(word) for word in _words(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} must be whole numbers with commas, as in 100,200,400") from None


def _shares(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(word) for word in _words(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} must be numbers with commas, as in 0.86,0.9") from None


def _predict(arguments: Sequence[str] | None) -> None:
    parser = Parser(prog="predict.py", description="Classify texts with the checkpoint of a run.")
    parser.add_argument(
        "texts", nargs="*", metavar="TEXT", help="Texts; without any, each line of standard input is one."
    )
    parser.add_argument("--checkpoint", required=True, metavar="PATH", help="A .ckpt file, or the folder of a run.")
    parser.add_argument("--file", metavar="PATH", help="A UTF-8 file with a text on each line.")
    parser.add_argument("--json", action="store_true", help="One JSON object per text.")
    options = parser.parse_args(arguments)
    if options.file and options.texts:
        parser.error("give texts or --file, not both")
    checkpoint = _checkpoint(Path(options.checkpoint))
    from lit_al.models.checkpoint import load_model
    from lit_al.models.prediction import classify

    model = load_model(checkpoint)
    seen: list[str] = []  # the texts of a chunk, until their predictions come back
    for prediction in classify(model, _remember(_texts(options.texts, options.file), seen)):
        text = seen.pop(0)
        if options.json:
            say(_json({"text": text, **asdict(prediction)}))
        else:
            print(f"{plain(prediction.label)}\t{prediction.probability:.4f}\t{plain(text)}")


def _json(found: dict[str, object]) -> str:
    """One line that loses nothing: what a terminal would obey is written as its number."""
    line = json.dumps(found, ensure_ascii=False)
    return "".join(sign if plain(sign) == sign else json.dumps(sign)[1:-1] for sign in line)


def _explain(arguments: Sequence[str] | None) -> None:
    parser = Parser(prog="lit-al explain", description="Say why each text of a round was chosen.")
    parser.add_argument("run", metavar="RUN", help="Folder of a run.")
    parser.add_argument("--round", type=int, metavar="N", help="Number of the round, from 1; the last if not given.")
    parser.add_argument("--top", type=int, default=20, metavar="K", help="Texts to show, in the order chosen.")
    options = parser.parse_args(arguments)
    if options.top < 1:
        raise ConfigError(f"--top {options.top} must be 1 or more")
    from lit_al.experiment.explain import explain as lines

    for line in lines(Path(options.run), options.round, options.top):
        say(line)


def _recover(arguments: Sequence[str] | None) -> None:
    parser = Parser(
        prog="lit-al recover",
        description="Make a damaged record of labels sound again, from whichever of its copies is: its last backup, "
        "events.jsonl, itself. Nothing is deleted: damaged files are moved into a folder beside the record.",
    )
    parser.add_argument("run", metavar="RUN", help="Folder of a run.")
    folder = Path(parser.parse_args(arguments).run)
    from lit_al.record import OwnerLock
    from lit_al.record import recover as make_sound

    if not folder.is_dir():
        raise StoreError(f"there is no folder {folder}; give the folder of a run")
    with OwnerLock(folder, "recovery"):
        say(make_sound(folder))


def _export(arguments: Sequence[str] | None) -> None:
    from lit_al.exchange import EXPORTED, export
    from lit_al.record import Record

    parser = Parser(
        prog="lit-al export", description="Write the labels of a run, or texts to be labeled elsewhere, to a file."
    )
    add = parser.add_argument
    add("run", metavar="RUN", help="Folder of a run.")
    add("--to", required=True, metavar="FILE", help="The file; written whole, and never over another.")
    add("--format", choices=EXPORTED, help="By default what the suffix says: .csv, .jsonl, .parquet, or .json for "
        "labelstudio. argilla and prodigy hold what each annotator said, events everything that happened.")  # fmt: skip
    add("--resolve", choices=["majority", "latest", "drop"], help="Which label a text has where annotators disagree: "
        "the one given most often (ties have none), the one given last, or none; majority if not given.")  # fmt: skip
    add("--unlabeled", type=int, metavar="N", help="Write the N most wanted texts that nobody has answered, instead of "
        "labels.")  # fmt: skip
    add("--suggestions", action="store_true", help="With --unlabeled: what the model thinks; people follow it.")
    add("--raw", action="store_true", help="Leave cells of a CSV that a spreadsheet would compute as they are.")
    add("--overwrite", action="store_true", help="Replace a file that is there, with any answers in it.")
    options = parser.parse_args(arguments)
    with Record.open(Path(options.run)) as record:
        _say_mended(record)
        words = export(
            record,
            Path(options.to),
            options.format,
            resolve=options.resolve,
            unlabeled=options.unlabeled,
            suggestions=options.suggestions,
            raw=options.raw,
            overwrite=options.overwrite,
        )
    say(words)


def _import(arguments: Sequence[str] | None) -> None:
    from lit_al.exchange import IMPORTED, import_answers
    from lit_al.record import Record

    parser = Parser(prog="lit-al import", description="Take the labels of a file into a run: all of them, or none.")
    add = parser.add_argument
    add("run", metavar="RUN", help="Folder of a run.")
    add("file", metavar="FILE", help="With the answers.")
    add("--format", choices=IMPORTED, help="By default what the suffix and the first line say.")
    add("--annotator", metavar="NAME", help="Who answered, where the file does not say; 'file' if not given.")
    add("--dry-run", action="store_true", help="Check and count, but take nothing.")
    add("--force", action="store_true", help="Take answers to texts that were edited too, and mark them.")
    options = parser.parse_args(arguments)
    with Record.open(Path(options.run)) as record:
        _say_mended(record)
        report = import_answers(
            record,
            Path(options.file),
            options.format,
            annotator=options.annotator,
            dry_run=options.dry_run,
            force=options.force,
        )
    say(report.in_words())


def _say_mended(record: "Record") -> None:
    """What was wrong with the second copies of a record, beside the output."""
    for sentence in record.mended:
        say(sentence, sys.stderr)


def _annotate(arguments: Sequence[str] | None) -> None:
    from lit_al.annotate.options import parse_annotate

    wish, serving = parse_annotate(arguments)
    _need_extra("starlette", "uvicorn", "jinja2")
    from lit_al.annotate.start import annotate as serve

    serve(wish, serving, say)


def _need_extra(*packages: str) -> None:
    """Say which extra is missing, if one is."""
    missing = [package for package in packages if find_spec(package) is None]
    if missing:
        raise ConfigError(f"labeling needs {', '.join(missing)}; install them with: pip install 'lit_al[annotate]'")


def _label(arguments: Sequence[str] | None) -> None:
    from lit_al.annotate.options import parse_label

    wish, how = parse_label(arguments)
    from lit_al.annotate.terminal import label as ask

    ask(wish, how)


def _agreement(arguments: Sequence[str] | None) -> None:
    from lit_al.annotate.options import parse_agreement

    run = parse_agreement(arguments)
    from lit_al.annotate.agreement import Agreement
    from lit_al.record import Record

    with Record.open(run) as record:
        _say_mended(record)
        for line in Agreement.of(record.answers(), record.classes).lines():
            say(line)


def _checkpoint(path: Path) -> Path:
    """The file itself, or the best checkpoint of a run's folder."""
    if not path.is_dir():
        return path
    from lit_al.utils.links import check_links

    check_links(path)
    best = path / "checkpoints" / "best.ckpt"
    if not best.is_file():
        raise CheckpointError(f"{path} holds no checkpoints/best.ckpt; give the folder of a run or a .ckpt file")
    return best


def _texts(given: Sequence[str], file: str | None) -> Iterator[str]:
    if given:
        yield from map(_valid, given)
        return
    try:
        with Path(file).open(encoding="utf-8") if file else sys.stdin as lines:
            for line in lines:
                yield line.rstrip("\n")
    except UnicodeDecodeError as error:
        raise DataError(f"{file or 'standard input'} is not UTF-8 at byte {error.start}; convert it first") from error
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error.strerror or error}") from error


def _valid(text: str) -> str:
    """An argument as it is, unless the shell gave bytes that are no UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise DataError(f"the text {text[:20]!r} is not UTF-8 at character {error.start}; convert it first") from error
    return text


def _remember(texts: Iterator[str], seen: list[str]) -> Iterator[str]:
    for text in texts:
        seen.append(text)
        yield text
