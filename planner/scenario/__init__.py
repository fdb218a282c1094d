"""What the user writes: schema, located loading, checks."""
