"""Score predictions against measurement files."""
