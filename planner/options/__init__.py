"""Layouts enumerated, fitted and timed: each becomes an option or a rejection."""
