from dataclasses import fields, replace
from pathlib import Path

import pytest

from lit_al.cli.command_line import parse
from lit_al.cli.commands import COMMANDS
from lit_al.exceptions import ConfigError
from lit_al.experiment.config import TrainConfig
from lit_al.experiment.session import settle

CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))


def parse_train(arguments):
    return parse(COMMANDS, ["train", *arguments])


def test_defaults_are_those_of_the_example():
    config = parse_train([]).resolved()
    assert (config.mode, config.protocol, config.data) == ("active", "keras", "auto")
    assert (config.rounds, config.query_size, config.max_epochs) == (3, 5_000, 20)
    assert (config.patience, config.batch_size, config.seed) == (4, 256, 0)
    assert (config.split_seed, config.log_dir, config.name) == (0, "lightning_logs", None)
    assert (config.vocabulary_size, config.max_length, config.standardize) == (3_000, 150, "keras3")
    assert (config.cut, config.padding) == ("end", "read")
    assert (config.ratio_direction, config.steer_on, config.pool_classes) == ("as-coded", "test", "true")


@pytest.mark.parametrize("protocol", ["keras", "honest", "lean"])
def test_longer_texts_are_options_of_every_protocol(protocol):
    words = ["--max-length", "400", "--vocabulary-size", "20000", "--cut", "middle", "--padding", "masked"]
    config = parse_train(["--protocol", protocol, *words]).resolved()
    assert (config.max_length, config.vocabulary_size, config.cut, config.padding) == (400, 20_000, "middle", "masked")
    with pytest.raises(ConfigError, match="--cut start does not fit; it takes end, middle"):
        parse_train(["--protocol", protocol, "--cut", "start"])


def test_honest_protocol_sets_all_three_right():
    config = parse_train(["--protocol", "honest"]).resolved()
    assert (config.ratio_direction, config.steer_on, config.pool_classes) == ("as-stated", "val", "predicted")


def test_lean_protocol_has_defaults_of_its_own():
    config = parse_train(["--protocol", "lean"]).resolved()
    assert (config.initial_size, config.query_size, config.rounds) == (100, 100, 24)
    assert (config.strategy, config.batch_size, config.steps) == ("margin+balanced+random:0.1", 64, 200)
    assert (config.recipe, config.vocabulary_size, config.max_length, config.cut) == ("lean", 20_000, 400, "middle")
    assert (config.standardize, config.units) == ("unicode", "auto")
    assert config.resolved() == config
    assert parse_train(["--protocol", "lean", "--stop", "kappa"]).resolved().rounds is None
    listed = parse_train(["--protocol", "lean", "--query-size", "10,20,40"]).resolved()
    assert (listed.query_sizes, listed.rounds) == ((10, 20, 40), 3)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"protocol": "lean", "steer_on": "test"}, "--steer-on has no use with --protocol lean: no set steers"),
        ({"protocol": "lean", "patience": 3}, "--patience has no use with --protocol lean: a fit takes --steps"),
        ({"protocol": "lean", "target_accuracy": 0.9}, "use --stop target:0.9"),
        ({"protocol": "lean", "val_size": 50}, "use --validation holdout:0.2"),
        ({"protocol": "lean", "mode": "compare"}, "--mode compare has no lean protocol"),
        ({"protocol": "lean", "query_size": "10,x"}, "--query-size 10,x must be a whole number, or several"),
        ({"protocol": "lean", "query_size": "10,0"}, "--query-size 10,0 must be 1 or more"),
        ({"protocol": "lean", "oracle_skip": 1.0}, "--oracle-skip 1.0 must be 0 or more and less than 1"),
        ({"protocol": "lean", "price_per_token": -1.0}, "--price-per-token -1.0 must be 0 or more"),
        ({"protocol": "lean", "initial_size": 0}, "--initial-size 0 must be 1 or more"),
        ({"stop": "kappa", "mode": "full"}, "--stop has no use with --mode full"),
        ({"protocol": "lean", "network": "a.py:B"}, "--network has no use with --protocol lean: it trains many"),
        (
            {"protocol": "honest", "oracle_noise": "0.1"},
            "--oracle-noise has no use with --protocol honest: its oracle gives the labels of",
        ),
        ({"protocol": "lean", "encoder": "a/b", "embeddings": "v.npy"}, "give --encoder or --embeddings, not both"),
        ({"encoder": "a/b"}, "--encoder has no use with --protocol keras: a fit learns from words alone"),
        ({"protocol": "honest", "embeddings": "v.npy"}, "--embeddings has no use with --protocol honest"),
        ({"steps": 3}, "--steps has no use with --protocol keras: a fit takes epochs"),
        ({"units": "characters"}, "--units has no use with --protocol keras: it reads words, as the example does"),
        ({"protocol": "honest", "standardize": "unicode"}, "--standardize unicode has no use with --protocol honest"),
        (
            {"protocol": "lean", "standardize": "keras2", "units": "subwords"},
            "--units subwords cannot be read with --standardize keras2, which splits words as Keras does; give",
        ),
    ],
)
def test_settings_that_a_protocol_would_pass_over_are_refused(settings, words):
    with pytest.raises(ConfigError, match=words):
        TrainConfig(**settings).resolved()


def test_one_choice_can_be_turned_alone():
    config = parse_train(["--protocol", "honest", "--steer-on", "test"]).resolved()
    assert (config.ratio_direction, config.steer_on, config.pool_classes) == ("as-stated", "test", "predicted")


def test_help_names_every_option(capsys):
    with pytest.raises(SystemExit) as stop:
        parse_train(["--help"])
    assert stop.value.code == 0
    printed = capsys.readouterr().out
    for item in fields(TrainConfig):
        assert f"--{item.name.replace('_', '-')}" in printed
        assert item.metadata["group"] + ":" in printed
    assert "--config" in printed
    assert "--print-config" in printed


def test_printed_config_comes_back(capsys, tmp_path):
    with pytest.raises(SystemExit):
        parse_train(["--rounds", "7", "--drop-duplicates", "--protocol", "honest", "--print-config"])
    (tmp_path / "run.yaml").write_text(capsys.readouterr().out)
    expected = TrainConfig(rounds=7, drop_duplicates=True, protocol="honest")
    assert parse_train(["--config", str(tmp_path / "run.yaml")]) == expected


def test_command_line_goes_before_the_file(tmp_path):
    (tmp_path / "run.yaml").write_text("rounds: 7\nseed: 3\n")
    config = parse_train(["--config", str(tmp_path / "run.yaml"), "--rounds", "2"])
    assert (config.rounds, config.seed) == (2, 3)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--mode", "x"], "--mode x does not fit; it takes active, full, compare"),
        (["--rounds", "x"], "--rounds x does not fit; it takes a whole number"),
        (["--learning-rate", "x"], "--learning-rate x does not fit; it takes a number"),
        (["--steer-on", "x"], "--steer-on x does not fit; it takes test, val"),
        (["--bogus", "x"], "there is no option --bogus"),
        (["--protocl", "lean"], "there is no option --protocl; did you mean '--protocol'?"),
        (
            ["--protocol", "leen"],
            "--protocol leen does not fit; did you mean 'lean'? it takes auto, keras, honest",
        ),
        (["--rounds"], "--rounds: expected one argument"),
    ],
)
def test_bad_options_get_one_sentence(arguments, words):
    with pytest.raises(ConfigError) as refused:
        parse_train(arguments)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)
    assert "--help" in str(refused.value)


@pytest.mark.parametrize(
    "text", ["rounds: [", "rounds: x\n", "bogus: 1\n", "- a\n- b\n", "mode: {a: 1}\n", "\x00", "just words\n"]
)
def test_bad_config_files_get_one_sentence(tmp_path, text):
    (tmp_path / "run.yaml").write_text(text)
    with pytest.raises(ConfigError) as refused:
        parse_train(["--config", str(tmp_path / "run.yaml")])
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"max_epochs": 0}, "--max-epochs 0 must be 1 or more"),
        ({"rounds": -1}, "--rounds -1 must be 0 or more"),
        ({"batch_size": 0}, "--batch-size 0"),
        ({"learning_rate": -1.0}, "--learning-rate -1.0"),
        ({"learning_rate": float("nan")}, "--learning-rate nan"),
        ({"target_accuracy": 85.0}, "as in 0.9"),
        ({"seed": -1}, "--seed -1"),
    ],
)
def test_numbers_out_of_range_are_refused(settings, words):
    with pytest.raises(ConfigError, match=words):
        TrainConfig(**settings).resolved()


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_every_config_in_the_folder_is_read(path):
    assert parse_train(["--config", str(path)]).resolved()


def test_configs_are_there():
    assert {path.stem for path in CONFIGS} >= {"keras-active", "keras-full", "honest"}


@pytest.mark.parametrize(
    ("settings", "protocol", "why"),
    [
        ({"data": "demo"}, "keras", "demo is the data of the example (--protocol lean is for data of your own)"),
        ({"data": "some/tickets.csv"}, "lean", "tickets.csv is data of your own (--protocol keras is the example)"),
        ({"data": "tickets.csv", "mode": "full"}, "keras", "the example, to which --mode full belongs"),
        ({"data": "tickets.csv", "mode": "compare"}, "keras", "the example, to which --mode compare belongs"),
        ({"data": "tickets.csv", "protocol": "honest"}, "honest", ""),
        ({"data": "demo", "protocol": "lean"}, "lean", ""),
    ],
)
def test_protocol_is_chosen_by_data_and_mode_and_said(settings, protocol, why):
    config, said, corpus = settle(TrainConfig(**settings))
    assert config == replace(TrainConfig(**settings), protocol=protocol).resolved() == config.resolved()
    assert said == "" if not why else said.startswith(f"protocol: {protocol}, ") and said.endswith(why)
    assert corpus is None
    assert TrainConfig(**settings).resolved() == config


def test_a_folder_is_looked_into_once(tmp_path, monkeypatch):
    for label, text in (("ham", "a good day"), ("spam", "buy now")):
        (tmp_path / label).mkdir()
        (tmp_path / label / "1.txt").write_text(text)
    config, said, corpus = settle(TrainConfig(data=str(tmp_path)))
    assert (config.protocol, corpus.classes) == ("lean", ("ham", "spam"))
    assert f"{tmp_path.name} is data of your own" in said
    monkeypatch.setattr("lit_al.data.corpus.is_imdb", lambda texts, labels: True)
    assert settle(TrainConfig(data=str(tmp_path)))[0].protocol == "keras"
    with pytest.raises(ConfigError, match="--recipe has no use with --protocol keras"):
        settle(TrainConfig(data=str(tmp_path), recipe="scratch"))


def test_options_of_the_other_protocol_are_refused_once_one_is_chosen():
    with pytest.raises(ConfigError, match="--max-epochs has no use with --protocol lean"):
        TrainConfig(data="tickets.csv", max_epochs=3).resolved()
    with pytest.raises(ConfigError, match="--recipe has no use with --protocol keras"):
        TrainConfig(data="demo", recipe="lean").resolved()


def test_until_is_a_rule_beside_the_others():
    config = TrainConfig(protocol="lean", stop="budget:900", until="accuracy>=0.9").resolved()
    assert (config.stop, config.until) == ("budget:900,target:0.9:1.96", None)
    assert config == TrainConfig(protocol="lean", stop="budget:900,target:0.9:1.96").resolved()
    with pytest.raises(ConfigError, match="did you mean 'accuracy'"):
        TrainConfig(protocol="lean", until="acuracy>=0.9").resolved()
