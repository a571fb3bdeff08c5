"""The pure core: history events in, decisions out. No I/O, no clock, no threads."""
