"""The command line: one file a command, thin."""

import gc

# Commands make many objects and little garbage: to search it at each 700 objects takes a tenth of `check`.
gc.set_threshold(200_000, 100, 20)
