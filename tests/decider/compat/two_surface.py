"""Prints the public surface of whichever pyflow can be imported, as JSON. Runs under 2.0.0 and under this package."""

import importlib
import inspect
import json
import pkgutil
import sys

import pyflow

PLAIN = (str, int, float, bool, tuple, list, dict, type(None))


def parameters(thing):
    """[name, kind, default as text or None] of each parameter, the receiver left out; None where nobody can tell."""
    try:
        found = inspect.signature(thing).parameters.values()
    except (TypeError, ValueError):
        return None
    return [[p.name, p.kind.name, default(p)] for p in found if p.name != "self"]


def default(parameter):
    if parameter.default is parameter.empty:
        return None
    made_anew = ("NOTHING", "<factory>")  # attrs and dataclasses
    return "a fresh one" if repr(parameter.default) in made_anew else repr(parameter.default)


def described(thing):
    """What a program can see of a function, a class or a value."""
    if inspect.isclass(thing):
        members = {
            name: member_described(inspect.getattr_static(thing, name)) for name in dir(thing) if name[:1] != "_"
        }
        bases = [base.__name__ for base in thing.__mro__[1:] if base is not object]
        return {"kind": "class", "parameters": parameters(thing), "bases": bases, "members": members}
    if callable(thing):
        return {"kind": "function", "parameters": parameters(thing)}
    return {"kind": "value", "value": repr(thing) if isinstance(thing, PLAIN) else type(thing).__name__}


def member_described(member):
    if isinstance(member, property):
        return {"kind": "property", "writable": member.fset is not None}
    if isinstance(member, staticmethod):
        return {"kind": "static", "parameters": parameters(member.__func__)}
    return described(member)


def is_of_pyflow(thing):
    """Not a name that a module has only imported from elsewhere."""
    return getattr(thing, "__module__", "pyflow").split(".")[0] == "pyflow"


def public(module):
    return {
        name: described(thing)
        for name, thing in vars(module).items()
        if name[:1] != "_" and not inspect.ismodule(thing) and is_of_pyflow(thing)
    }


def main():
    # First: what a program has after no more than `import pyflow`.
    at_once = sorted(name for name, thing in vars(pyflow).items() if inspect.ismodule(thing) and is_of_pyflow(thing))
    star = {}
    exec("from pyflow import *", star)
    at_once = [name for name in at_once if "pyflow." + name in sys.modules]
    names = sorted(found.name for found in pkgutil.iter_modules(pyflow.__path__))
    wanted = sys.argv[1:] or names
    modules = {}
    for name in wanted:
        try:
            modules[name] = public(importlib.import_module("pyflow." + name))
        except ImportError:
            modules[name] = None
    modules[""] = public(pyflow)
    print(
        json.dumps({"modules": modules, "at_once": at_once, "star": sorted(name for name in star if name[:1] != "_")})
    )


main()
