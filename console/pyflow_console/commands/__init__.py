"""One file for each command of `pyflow`: its options, and what it calls."""
