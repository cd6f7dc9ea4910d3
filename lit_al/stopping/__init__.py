"""When to stop labeling: rules that look at the rounds so far, alone, combined, or in shadow."""

from lit_al.stopping.parsing import RULES, AllOf, AnyOf, make_rule, rule_until
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
    "rule_until",
    "shadow",
]
