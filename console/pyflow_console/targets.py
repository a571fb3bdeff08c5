"""MODULE and MODULE:CLASS arguments: found from the current directory as Python itself finds modules there."""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from types import ModuleType
from typing import TypeVar

from pyflow_console.errors import BadArgument

T = TypeVar("T")


def make_current_directory_importable() -> None:
    """What `python -m` does: modules in the current directory are found first."""
    here = os.getcwd()
    if here not in sys.path:
        sys.path.insert(0, here)


def load_module(name: str) -> ModuleType:
    """Import a module by its dotted name. Raises BadArgument: there is none, or it fails as it is imported."""
    make_current_directory_importable()
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise BadArgument(
                f"there is no module {name!r} in the current directory ({os.getcwd()}) nor among the installed packages"
                f"{_dotted_hint(name)}"
            ) from error
        raise _broken(name, error) from error
    except (Exception, SystemExit) as error:  # author code runs here: it can raise anything
        raise _broken(name, error) from error


def load_class(target: str, base: type[T]) -> type[T]:
    """The class of a MODULE:CLASS argument, which must derive from `base`. Raises BadArgument."""
    module_name, colon, class_name = target.partition(":")
    if not colon or not module_name or not class_name:
        raise BadArgument(f"{target!r} is not MODULE:CLASS; write for example orders:OrderWorkflow")
    module = load_module(module_name)
    found = getattr(module, class_name, None)
    known = [
        name
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, base) and value.__module__ == module.__name__
    ]
    offer = f"it has {', '.join(known)}" if known else f"it has no {base.__name__} classes"
    if found is None:
        raise BadArgument(f"module {module_name!r} ({module.__file__}) has no class {class_name!r}; {offer}")
    if not (isinstance(found, type) and issubclass(found, base)):
        raise BadArgument(f"{target!r} is no {base.__module__.partition('.')[0]}.{base.__name__} class; {offer}")
    return found


def _dotted_hint(name: str) -> str:
    if name.endswith(".py") or "/" in name:
        return f". Write it as Python imports it: {name.removesuffix('.py').strip('./').replace('/', '.')}"
    return ". Start the command where it lies, or set PYTHONPATH"


def _broken(name: str, error: BaseException) -> BadArgument:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "importlib" not in frame.filename]
    where = f" ({frames[-1].filename}, line {frames[-1].lineno})" if len(frames) > 1 else ""
    if isinstance(error, SyntaxError):
        where = f" ({error.filename}, line {error.lineno})"
        return BadArgument(f"module {name!r} cannot be imported: {type(error).__name__}: {error.msg}{where}")
    return BadArgument(f"module {name!r} cannot be imported: {type(error).__name__}: {error}{where}")
