"""Runs decisions around the pure core: tasks, histories, the cache of executions, threads, holds, processes."""
