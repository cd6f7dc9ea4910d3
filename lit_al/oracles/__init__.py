"""Who answers the queries."""

from lit_al.oracles.imperfect import Bill, ImperfectOracle, Price
from lit_al.oracles.noise import make_noise, uniform_noise
from lit_al.oracles.simulated import SimulatedOracle

__all__ = ["Bill", "ImperfectOracle", "Price", "SimulatedOracle", "make_noise", "uniform_noise"]
