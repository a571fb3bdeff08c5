"""What a command may fail with. Every other exception is a fault of pyflow itself and keeps its traceback.

CommandFailed      the message goes to stderr as it is; exit code 1
`-- WrongUsage     the command line cannot be used; exit code 2
"""


class CommandFailed(Exception):
    """What happened and what to do next, for a person."""

    exit_code = 1


class WrongUsage(CommandFailed):
    """Something on the command line cannot be used as it is."""

    exit_code = 2
