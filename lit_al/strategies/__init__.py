"""How to choose what to label: arrays and small records in, global row ids out. Nothing here knows Lightning."""

from lit_al.strategies.badge import BADGE
from lit_al.strategies.batchbald import BatchBALD
from lit_al.strategies.clusters import ClusterMargin, Typicality
from lit_al.strategies.contract import choose
from lit_al.strategies.density import Contrastive, Density
from lit_al.strategies.disagreement import BALD, BALDCommittee, CommitteeConsensus, CommitteeKL, CommitteeVote
from lit_al.strategies.diversity import CoreSet, KMeans
from lit_al.strategies.mix import Collapse, collapsed, mix, one_class
from lit_al.strategies.pool import Labeled, Pool
from lit_al.strategies.ratio import Direction, RatioSampling
from lit_al.strategies.registry import STRATEGIES, WRAPPERS, describe_strategies, make_strategy
from lit_al.strategies.sampling import Controls, Subsample
from lit_al.strategies.similar import Diverse
from lit_al.strategies.strategy import Choice, Context, Strategy, top_k
from lit_al.strategies.uncertainty import Entropy, LeastConfidence, Margin, RandomSampling
from lit_al.strategies.wrappers import Balanced, Power, Wrapper, innermost

__all__ = [
    "BADGE",
    "BALD",
    "STRATEGIES",
    "WRAPPERS",
    "BALDCommittee",
    "Balanced",
    "BatchBALD",
    "Choice",
    "ClusterMargin",
    "Collapse",
    "CommitteeConsensus",
    "CommitteeKL",
    "CommitteeVote",
    "Context",
    "Contrastive",
    "Controls",
    "CoreSet",
    "Density",
    "Direction",
    "Diverse",
    "Entropy",
    "KMeans",
    "Labeled",
    "LeastConfidence",
    "Margin",
    "Pool",
    "Power",
    "RandomSampling",
    "RatioSampling",
    "Strategy",
    "Subsample",
    "Typicality",
    "Wrapper",
    "choose",
    "collapsed",
    "describe_strategies",
    "innermost",
    "make_strategy",
    "mix",
    "one_class",
    "top_k",
]
