"""Re-checks a finished plan from the scenario alone, without the optimizer."""
