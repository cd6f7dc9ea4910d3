"""Who answers the queries."""

from lit_al.oracles.simulated import SimulatedOracle

__all__ = ["SimulatedOracle"]
