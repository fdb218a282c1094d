"""Read what others publish: model configs, checkpoints, price lists, and the machine one has."""
