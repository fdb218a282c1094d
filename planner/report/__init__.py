"""Pure functions from a plan to text, Markdown, CSV and JSON."""
