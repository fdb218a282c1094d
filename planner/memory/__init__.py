"""Bytes: what a layout needs on each GPU, on the host and on NVMe."""
