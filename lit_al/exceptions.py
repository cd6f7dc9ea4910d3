"""What can go wrong, as one tree; the command line turns each into one sentence and exit code 2.

```
LitALError
├── ConfigError      an option that cannot work, or options that cannot work together
├── DataError        a corpus that cannot be read, or is not what the run needs
│   └── InputError   texts or labels, handed over in Python, that nothing can be learned from; a ValueError, too
├── CheckpointError  a checkpoint that is missing, broken or not of this model
├── FitError         a fit that came to nothing
├── StrategyError    a choice of texts that breaks the contract of choosing
├── RunError         a run folder that cannot be written or would overwrite another
├── OraclePending    people have yet to answer; a run that meets it saves itself and ends well
└── StoreError       a record of labels that is missing, damaged, in use or of another kind
    ├── DamagedError a record that is not as it was written; `lit-al recover` is the way out
    ├── RefusedError an event that the record cannot take: an unknown text, a label outside the set
    ├── ConflictError an event whose id stands there already with other content
    └── InUseError   a run that another process is at
```
"""


class LitALError(Exception):
    """Every error of this package; its text says what, where and the way out."""


class ConfigError(LitALError):
    """An option that cannot work, or options that cannot work together."""


class DataError(LitALError):
    """A corpus that cannot be read, or is not what the run needs."""


class InputError(DataError, ValueError):
    """Texts or labels, handed over in Python, that nothing can be learned from.

    It is a `ValueError`, too, which is what scikit-learn and those who write for it expect.
    """


class CheckpointError(LitALError):
    """A checkpoint that is missing, broken or not of this model."""


class FitError(LitALError):
    """A fit that came to nothing."""


class StrategyError(LitALError):
    """A choice of texts that breaks the contract of choosing."""


class RunError(LitALError):
    """A run folder that cannot be written or would overwrite another."""


class OraclePending(LitALError):
    """People have yet to answer; a run that meets it saves itself and ends well.

    Attributes:
        rows: that no answer is there for.
    """

    def __init__(self, rows: list[int]) -> None:
        super().__init__(f"{len(rows):,} texts wait for an answer; label them and give the file to --answers")
        self.rows = rows


class StoreError(LitALError):
    """A record of labels that is missing, damaged, in use or of another kind."""


class DamagedError(StoreError):
    """A record that is not as it was written; `lit-al recover` is the way out."""


class RefusedError(StoreError):
    """An event that the record cannot take: an unknown text, a label outside the set."""


class ConflictError(StoreError):
    """An event whose id stands there already with other content."""


class InUseError(StoreError):
    """A run that another process is at."""
