"""Cancellation scopes: a tree of with-blocks. Canceling one reaches whatever waits inside it, unless shielded."""

from __future__ import annotations


class CancelScope:
    """One region of author code that can be canceled as a whole. The root scope is the execution itself.

    A cancellation is delivered once to each task that is inside: clean-up after it may block freely. A shield defers
    what comes from outside of it until the shield is left.
    """

    __slots__ = ("canceled", "parent", "shield", "timed_out")

    def __init__(self, parent: CancelScope | None, *, shield: bool = False) -> None:
        self.parent = parent
        self.shield = shield
        self.canceled = False
        self.timed_out = False

    def is_inside(self, other: CancelScope) -> bool:
        """True if ``other`` is this scope or one around it."""
        scope: CancelScope | None = self
        while scope is not None:
            if scope is other:
                return True
            scope = scope.parent
        return False

    def shields_from(self, other: CancelScope) -> bool:
        """True if a shield lies between this scope and ``other`` further out."""
        scope: CancelScope | None = self
        while scope is not None and scope is not other:
            if scope.shield:
                return True
            scope = scope.parent
        return False
