"""A single run of the honest loop in a folder of its own: `train.py --protocol lean`.

| module | what it holds |
|---|---|
| `plan` | what the settings come to: the schedule, the oracle and its prices, the rules that may stop the run |
| `estimate` | the newest model's accuracy over the whole corpus, by random controls, or by validation |
| `watch` | the stop set, what the rules see of each round, and where each would have stopped |
| `rounds` | what a round leaves behind |
| `words` | the same on the console |
| `session` | the run |
"""

from lit_al.leanrun.estimate import ByValidation, Estimate, needed, newest
from lit_al.leanrun.plan import Plan, checked_rule
from lit_al.leanrun.rounds import Judged
from lit_al.leanrun.session import LeanSession
from lit_al.leanrun.watch import Watch

__all__ = [
    "ByValidation",
    "Estimate",
    "Judged",
    "LeanSession",
    "Plan",
    "Watch",
    "checked_rule",
    "needed",
    "newest",
]
