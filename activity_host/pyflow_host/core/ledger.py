"""The account of every task: received + resumed = reported + gone + lost + held."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Ledger:
    """Counts since the start of the host. `held` is counted from the leases when the ledger is read."""

    polls_opened: int = 0
    polls_failed: int = 0
    """Polls without an answer; SWF may have handed a task to one of them."""
    received: int = 0
    resumed: int = 0
    """Tasks of an earlier or another host that workers or outside callers brought along."""
    dispatched: int = 0
    reported: int = 0
    gone: int = 0
    lost: int = 0

    def balances(self, held: int) -> bool:
        """Whether every task is accounted for."""
        return self.received + self.resumed == self.reported + self.gone + self.lost + held

    def line(self, held: int) -> str:
        """One line for people, the same at every exit."""
        verdict = "balanced" if self.balances(held) else "NOT BALANCED, please report this as a bug"
        handed_on = f", {held} still with workers, who report through the next host" if held else ""
        failed = f" ({self.polls_failed} without an answer)" if self.polls_failed else ""
        return (
            f"Ledger: {self.polls_opened} polls opened{failed}, {self.received} tasks received, {self.resumed} resumed,"
            f" {self.dispatched} dispatched, {self.reported} reported, {self.gone} gone, {self.lost} lost{handed_on};"
            f" {verdict}."
        )
