"""Who may import whom (docs: the house's plan). Every violation is listed, none is tolerated."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sources import PACKAGES, ROOT, Import, imports, is_within, modules, parsed, shown

ALLOWED = {
    "pyflow": ("pyflow",),
    "pyflow_host": ("pyflow_host", "pyflow.swf", "pyflow_api"),
    "pyflow_api": ("pyflow_api",),
    "pyflow_activity": ("pyflow_activity", "pyflow_api"),
    "pyflow_local": ("pyflow_local",),
    "pyflow_console": tuple(PACKAGES),
}
"""Which of our packages a package may import."""

EXCEPTIONS = {"pyflow.testing": ("pyflow", "pyflow_local", "pyflow_host", "pyflow_activity", "pyflow_api")}
"""What helps authors to test brings the whole house up in their test process."""

AWS = ("boto3", "botocore", "aiobotocore", "s3transfer")
WORLD = (
    *AWS, "grpc", "sqlite3", "threading", "asyncio", "time", "os", "socket", "subprocess", "multiprocessing", "http",
    "urllib", "secrets", "signal", "select", "selectors", "tempfile", "shutil", "pathlib", "io",
)  # fmt: skip
"""What a pure core must not touch: the clock, the machine, the network."""
HARMLESS = ("pathlib.PurePath", "pathlib.PurePosixPath", "io.StringIO", "io.BytesIO")
"""Values that happen to live beside things that touch the world."""

PURE = {
    "pyflow.core": "the decider's core",
    "pyflow_host.core": "the host's core",
    "pyflow_local.engine": "the embedded SWF's engine",
}
AUTHOR_SURFACE = (
    "pyflow.workflow",
    "pyflow.descriptors",
    "pyflow.future",
    "pyflow.exceptions",
    "pyflow.options",
    "pyflow.payloads",
    "pyflow.workflow_invocation_helper",
)


def violations(package: str, wrong: Callable[[str, Import], bool]) -> Iterator[str]:
    """Every import of a package that is wrong, as a line to read."""
    for module, path in modules(package):
        for found in imports(path):
            if wrong(module, found):
                yield f"{shown(path)}:{found.line}: {module} imports {found.module}"


def none_of(lines: Iterator[str]) -> None:
    found = list(lines)
    assert not found, "\n".join(["", *found])


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_import_only_what_they_may(package: str) -> None:
    def wrong(module: str, found: Import) -> bool:
        if not is_within(found.module, *PACKAGES):
            return False
        special = next((allowed for place, allowed in EXCEPTIONS.items() if is_within(module, place)), None)
        return not is_within(found.module, *(special or ALLOWED[package]))

    none_of(violations(package, wrong))


@pytest.mark.parametrize("core", PURE)
def test_pure_cores_do_not_touch_the_world(core: str) -> None:
    def wrong(module: str, found: Import) -> bool:
        inside = is_within(module, core) and not found.for_types
        return inside and is_within(found.module, *WORLD) and found.module not in HARMLESS

    none_of(violations(core.partition(".")[0], wrong))


@pytest.mark.parametrize("core", PURE)
def test_pure_cores_draw_no_lots(core: str) -> None:
    """`random.Random(seed)` is a function of its seed; everything else in that module is not."""
    none_of(
        f"{shown(path)}:{node.lineno}: {module} uses random.{node.attr}"
        for module, path in modules(core.partition(".")[0])
        if is_within(module, core)
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "random"
        if node.attr != "Random"
    )


def test_decider_core_knows_exceptions_and_options_only() -> None:
    def wrong(module: str, found: Import) -> bool:
        ours = is_within(found.module, "pyflow")
        return (
            is_within(module, "pyflow.core")
            and ours
            and not is_within(found.module, "pyflow.core", "pyflow.exceptions", "pyflow.options")
        )

    none_of(violations("pyflow", wrong))


def test_only_the_hub_imports_greenlet() -> None:
    for package in PACKAGES:
        none_of(violations(package, lambda module, found: is_within(found.module, "greenlet") and module != HUB))


HUB = "pyflow.core.hub"
SPEAK_AWS = (
    "pyflow.swf",
    "pyflow.payloads",  # an offload may keep large payloads in S3
    "pyflow_console.reaching",  # asks botocore for proxies
    "pyflow_console.embedded",  # signs requests to paths that only the embedded SWF has
    "pyflow_local.local",  # hands tests a client of the server in their own process
)


def test_only_one_place_speaks_to_swf() -> None:
    def wrong(module: str, found: Import) -> bool:
        return not found.for_types and is_within(found.module, *AWS) and not is_within(module, *SPEAK_AWS)

    for package in PACKAGES:
        none_of(violations(package, wrong))


def test_the_place_that_speaks_to_swf_knows_nothing_above_it() -> None:
    def wrong(module: str, found: Import) -> bool:
        inside = is_within(module, "pyflow.swf")
        return inside and is_within(found.module, "pyflow") and not is_within(found.module, "pyflow.swf")

    none_of(violations("pyflow", wrong))


def test_author_surface_does_not_reach_up_to_workers_and_swf() -> None:
    above = ("pyflow.swf", "pyflow.worker", "pyflow.starter", "pyflow.deciding", "pyflow.replayer", "pyflow.testing")

    def wrong(module: str, found: Import) -> bool:
        return module in AUTHOR_SURFACE and is_within(found.module, *above)

    none_of(violations("pyflow", wrong))


def test_activity_workers_pull_in_no_aws() -> None:
    none_of(violations("pyflow_activity", lambda _, found: is_within(found.module, *AWS, "mypy_boto3_swf")))


def test_every_package_is_where_it_is_said_to_be() -> None:
    for package in PACKAGES:
        assert list(modules(package)), f"{PACKAGES[package]} has no modules: the rules above would look at nothing"


def test_rules_can_fail(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text(
        "import os.path\nfrom pyflow import worker\nif TYPE_CHECKING:\n    import boto3\n", encoding="utf-8"
    )
    found = [(each.module, each.for_types) for each in imports(module)]
    assert found == [("os.path", False), ("pyflow.worker", False), ("boto3", True)]
    assert is_within("os.path", "os")
    assert not is_within("osmosis", "os")


def test_modules_imported_by_their_bare_name_have_one_name_each() -> None:
    """Folders of tests and the document example stand on sys.path together: of two equal names one hides the other."""
    flat = [ROOT / "bench/figures.py", *sorted((ROOT / "examples/documents").glob("*.py"))]
    flat += [
        path
        for path in sorted((ROOT / "tests").rglob("*.py"))
        if not path.name.startswith(("test_", "conftest")) and not (path.parent / "__init__.py").exists()
    ]
    places: dict[str, list[str]] = {}
    for path in flat:
        places.setdefault(path.stem, []).append(shown(path))
    none_of(f"{' and '.join(found)} have one name" for found in places.values() if len(found) > 1)
