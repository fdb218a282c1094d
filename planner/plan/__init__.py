"""The result: pydantic models of the versioned JSON."""
