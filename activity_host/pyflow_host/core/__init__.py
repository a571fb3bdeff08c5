"""The host's rules: streams, polls and answers of SWF go in, effects come out. Pure: time is an argument.

host_core    HostCore, the one object the shell talks to; its methods return effects
sessions     streams: Hello, resume, ping and silence, draining, the end
placing      tasks from SWF to workers; polls against credits
reporting    outcomes to SWF, acknowledgements back
beating      heartbeats of running tasks; cancel and progress
state        what all of these share: workers, leases, demand, timers
"""
