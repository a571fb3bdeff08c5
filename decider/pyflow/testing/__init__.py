"""Tools for tests of workflows: histories by hand, a time-skipping environment, replay of saved histories."""

from pyflow.testing.history import HistoryBuilder

__all__ = ["HistoryBuilder"]
