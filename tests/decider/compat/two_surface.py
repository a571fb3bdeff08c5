"""Runs in an interpreter that has pyflow-swf 2.0.0: prints its public names and their parameters as JSON."""

import inspect
import json

import pyflow
from pyflow import exceptions, future, workflow_invocation_helper


def parameters(thing):
    try:
        found = inspect.signature(thing).parameters.values()
    except (TypeError, ValueError):
        return None
    return [[p.name, p.kind.name, p.default is p.empty] for p in found if p.name != "self"]


def describe(thing):
    members = {}
    if inspect.isclass(thing):
        for name, member in inspect.getmembers(thing):
            if not name.startswith("_"):
                members[name] = parameters(member) if callable(member) else None
    return {"parameters": parameters(thing) if callable(thing) else None, "members": members}


def public(module):
    return {
        name: describe(thing)
        for name, thing in vars(module).items()
        if not name.startswith("_")
        and (module is pyflow or not inspect.ismodule(thing))
        and (not inspect.ismodule(thing) or thing.__name__.startswith("pyflow"))
    }


print(
    json.dumps(
        {
            "pyflow": public(pyflow),
            "pyflow.exceptions": public(exceptions),
            "pyflow.future": public(future),
            "pyflow.workflow_invocation_helper": public(workflow_invocation_helper),
        }
    )
)
