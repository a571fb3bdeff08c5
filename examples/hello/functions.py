"""The two Lambda functions of the example. `pyflow dev --lambda NAME=functions:NAME` runs them on this machine."""


def some_lambda_func(event, context):
    """The length of a text."""
    return len(event)


def other_lambda_func(event, context):
    """A number as a sentence."""
    return f"The answer is {event}."
