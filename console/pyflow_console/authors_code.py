"""Imports what a user names on the command line: a module, or a class in it."""

from __future__ import annotations

import importlib
import inspect
import sys
import traceback
from pathlib import Path
from types import ModuleType

from pyflow import Workflow

from pyflow_console.errors import WrongUsage


def import_module(name: str) -> ModuleType:
    """Import a module, looking into the current directory first, as `python -m` does. Raises WrongUsage."""
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise WrongUsage(
                f"there is no module '{name}' in {here} or among the installed packages. "
                "Give a module's name as in `import`, without .py."
            ) from error
        raise WrongUsage(f"the module '{name}' imports '{error.name}', which is not installed.") from error
    except Exception as error:
        raise WrongUsage(f"the module '{name}' cannot be imported:\n{_where(error)}") from error


def workflow_classes(names: list[str]) -> list[type[Workflow]]:
    """The workflow classes named MODULE:CLASS, or all that MODULE defines. Raises WrongUsage."""
    classes: list[type[Workflow]] = []
    for name in names:
        module_name, _, class_name = name.partition(":")
        module = import_module(module_name)
        classes += [_named(module, class_name)] if class_name else _all_of(module)
    return classes


def _named(module: ModuleType, class_name: str) -> type[Workflow]:
    found = getattr(module, class_name, None)
    if inspect.isclass(found) and issubclass(found, Workflow):
        return found
    here = ", ".join(workflow.__name__ for workflow in _defined(module)) or "none"
    what = "has no" if found is None else "has something else under the name of"
    raise WrongUsage(f"module '{module.__name__}' {what} workflow class '{class_name}'; its workflow classes: {here}.")


def _all_of(module: ModuleType) -> list[type[Workflow]]:
    classes = _defined(module)
    if not classes:
        raise WrongUsage(f"module '{module.__name__}' defines no subclass of pyflow.Workflow.")
    return classes


def _defined(module: ModuleType) -> list[type[Workflow]]:
    return [
        value
        for value in vars(module).values()
        if inspect.isclass(value) and issubclass(value, Workflow) and value.__module__ == module.__name__
    ]


def _where(error: BaseException) -> str:
    """The author's own lines of a traceback, without those of the import machinery."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "importlib" not in frame.filename]
    own = [frame for frame in frames if frame.filename != __file__]
    return "".join([*traceback.format_list(own), *traceback.format_exception_only(type(error), error)]).rstrip()
