"""The store: SQLite behind the engine. Append-only history, one transaction for all that arrived together."""
