"""Who answers the queries."""

from lit_al.oracles.imperfect import Bill, ImperfectOracle, Price
from lit_al.oracles.noise import make_noise, uniform_noise
from lit_al.oracles.oracle import Oracle
from lit_al.oracles.recorded import FILE, Batch, RecordedOracle, WaitingOracle, event_id
from lit_al.oracles.simulated import SimulatedOracle

__all__ = [
    "FILE",
    "Batch",
    "Bill",
    "ImperfectOracle",
    "Oracle",
    "Price",
    "RecordedOracle",
    "SimulatedOracle",
    "WaitingOracle",
    "event_id",
    "make_noise",
    "uniform_noise",
]
