"""When to stop labeling: rules that look at the rounds so far, alone, combined, or in shadow.

| module | what it holds |
|---|---|
| `base` | `Progress`, what a rule may see; `Rule`, the contract; the measures of uncertainty and agreement |
| `rules` | budget, target, plateau, overall uncertainty, classification change, kappa, pool empty |
| `spelling` | rules by name, several at once: `kappa:0.99,budget:2500` |
| `shadow` | where each rule would have stopped a run that went on, and what that would have cost |
"""

from lit_al.stopping.parsing import RULES, AllOf, AnyOf, make_rule
from lit_al.stopping.rule import Progress, Rule, kappa, mean_uncertainty
from lit_al.stopping.rules import Budget, ClassificationChange, Kappa, OverallUncertainty, Plateau, PoolEmpty, Target
from lit_al.stopping.shadow import Stop, report, shadow

__all__ = [
    "RULES",
    "AllOf",
    "AnyOf",
    "Budget",
    "ClassificationChange",
    "Kappa",
    "OverallUncertainty",
    "Plateau",
    "PoolEmpty",
    "Progress",
    "Rule",
    "Stop",
    "Target",
    "kappa",
    "make_rule",
    "mean_uncertainty",
    "report",
    "shadow",
]
