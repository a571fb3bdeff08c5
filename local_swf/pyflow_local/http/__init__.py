"""HTTP: connections, long polls and group commit on one asyncio loop."""
