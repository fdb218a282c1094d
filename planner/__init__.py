"""Capacity planning for GPU fleets: the cheapest proven plan that fits, or why there is none."""

__version__ = "0.1.0"
