"""The optimizer: the only place that imports ortools."""
