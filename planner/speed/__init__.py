"""Seconds: compute, collectives, serving, training and offload traffic."""
