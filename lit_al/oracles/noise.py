"""How an oracle errs: tables of which class is given for which, and the chance that decides for each row."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from lit_al.exceptions import ConfigError
from lit_al.typing import Float64s, Ints


def uniform_noise(classes: int, rate: float) -> Float64s:
    """(C, C) table of an oracle that errs at one rate, towards every other class alike.

    Raises:
        ConfigError: a rate that is no probability, or fewer than two classes.

    >>> uniform_noise(3, 0.5)
    array([[0.5 , 0.25, 0.25],
           [0.25, 0.5 , 0.25],
           [0.25, 0.25, 0.5 ]])
    """
    if classes < 2 or not 0 <= rate <= 1:
        raise ConfigError(
            f"noise of rate {rate} over {classes} classes cannot be; give a rate from 0 to 1 and 2 classes"
        )
    return np.where(np.eye(classes, dtype=bool), 1 - rate, rate / (classes - 1))


def make_noise(text: str, classes: int) -> Float64s:
    """(C, C) table from what an option says: a rate, or a CSV file of C lines with C shares each, no header.

    Args:
        text: `0.1`, or a path.
        classes: C.

    Raises:
        ConfigError: neither a rate nor a file that holds such a table.

    >>> make_noise("0.2", 2)
    array([[0.8, 0.2],
           [0.2, 0.8]])
    """
    try:
        rate = float(text)
    except ValueError:
        return _table_of(Path(text), classes)
    return uniform_noise(classes, rate)


def _table_of(path: Path, classes: int) -> Float64s:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        table = np.array([[float(share) for share in line.split(",")] for line in lines if line.strip()])
    except (OSError, ValueError) as error:
        raise ConfigError(f"noise {str(path)!r} is neither a rate nor a CSV file of shares: {error}") from error
    if table.shape != (classes, classes):
        raise ConfigError(
            f"noise of {path} has shape {table.shape}; {classes} classes need {classes} lines of {classes}"
        )
    return check_table(table, str(path))


def check_table(table: Float64s, name: str) -> Float64s:
    """(C, C) the table, once it is one: square, shares from 0 up, rows that add up to 1.

    Raises:
        ConfigError: it is not.
    """
    table = np.asarray(table, dtype=np.float64)
    if table.ndim != 2 or table.shape[0] != table.shape[1]:
        raise ConfigError(f"{name} has shape {table.shape}; give a square table, a row and a column for each class")
    wrong = np.flatnonzero(~((table >= 0).all(axis=1) & np.isclose(table.sum(axis=1), 1)))
    if wrong.size:
        raise ConfigError(
            f"{name} row {wrong[0]} is {table[wrong[0]].tolist()}; give shares from 0 up that add up to 1"
        )
    return table


def draw(shares: Float64s, chances: Float64s) -> Ints:
    """(n,) int64: of each row the class into whose share its chance falls.

    Args:
        shares: (n, C), rows add up to 1.
        chances: (n,) in [0, 1).
    """
    edges = shares.cumsum(axis=1)  # (n, C)
    last = shares.shape[1] - 1 - np.argmax(shares[:, ::-1] > 0, axis=1)  # (n,) edges may be rounded to just below 1
    above = (chances[:, None] >= edges).sum(axis=1)  # (n,)
    return np.asarray(np.minimum(above, last), dtype=np.int64)


def chance(seed: int, keys: npt.NDArray[np.uint64], stream: int) -> Float64s:
    """(n,) float64 in [0, 1), one for each key, whatever was asked before: SplitMix64 (Steele and others 2014).

    Args:
        seed: of the experiment.
        keys: (n,) uint64 of the rows.
        stream: tells decisions about the same row apart.
    """
    with np.errstate(over="ignore"):  # arithmetic modulo 2^64 is the method
        key = _mix(_mix(np.array([seed % 2**64], np.uint64)) + np.uint64(stream))  # (1,)
        bits = _mix(key + keys)  # (n,)
    return np.asarray((bits >> np.uint64(11)) / 2.0**53, dtype=np.float64)


def _mix(value: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    value = value + np.uint64(0x9E3779B97F4A7C15)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))
