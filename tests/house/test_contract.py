"""Every message and field of the contract says who sets it and what its limit is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2 as descriptors
from grpc_tools import protoc
from sources import ROOT

PROTO = ROOT / "proto"
FILES = sorted(str(path.relative_to(PROTO)) for path in (PROTO / "pyflow_api").rglob("*.proto"))
WHO = re.compile(r"\bset by the (worker|host|caller)|\bset by whoever", re.IGNORECASE)
LIMIT = re.compile(r"\d|Limits\.|\bAs (in|received in|sent in)\b|\bas many as\b|\bany number\b", re.IGNORECASE)
"""A number, or where the number is told."""
UNLIMITED = {descriptors.FieldDescriptorProto.TYPE_BOOL, descriptors.FieldDescriptorProto.TYPE_ENUM}
"""Their values are all there is to say. Messages have limits of their own, except lists of them."""
MESSAGE = descriptors.FieldDescriptorProto.TYPE_MESSAGE
COUNTERS = "Ledger"
"""Its fields count for as long as the host lives."""


@pytest.fixture(scope="module")
def contract(tmp_path_factory: pytest.TempPathFactory) -> list[descriptors.FileDescriptorProto]:
    target = tmp_path_factory.mktemp("contract") / "set.bin"
    options = ("--include_source_info", "--include_imports", f"--descriptor_set_out={target}")
    well_known = Path(protoc.__file__).parent / "_proto"
    assert protoc.main(["protoc", f"-I{PROTO}", f"-I{well_known}", *options, *FILES]) == 0
    found = descriptors.FileDescriptorSet.FromString(target.read_bytes())
    ours = [file for file in found.file if file.name in FILES]
    assert len(ours) == 4
    return ours


def comments(file: descriptors.FileDescriptorProto) -> dict[tuple[int, ...], str]:
    """What is written above each element, by its path in the file."""
    places = file.source_code_info.location
    return {tuple(place.path): " ".join(place.leading_comments.split()) for place in places}


def elements(file: descriptors.FileDescriptorProto) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Names and paths of all that can have a comment."""
    for number, message in enumerate(file.message_type):
        yield message.name, (4, number)
        for index, field in enumerate(message.field):
            yield f"{message.name}.{field.name}", (4, number, 2, index)
    for number, enum in enumerate(file.enum_type):
        yield enum.name, (5, number)
        for index, value in enumerate(enum.value):
            yield value.name, (5, number, 2, index)
    for number, service in enumerate(file.service):
        yield service.name, (6, number)
        for index, method in enumerate(service.method):
            yield f"{service.name}.{method.name}", (6, number, 2, index)


def test_everything_has_a_comment(contract: list[descriptors.FileDescriptorProto]) -> None:
    named = [(file, name, path) for file in contract for name, path in elements(file)]
    assert len(named) > 150
    bare = [name for file, name, path in named if len(comments(file).get(path, "")) < 4]
    assert bare == []


def test_every_message_says_who_sets_it(contract: list[descriptors.FileDescriptorProto]) -> None:
    silent = [
        message.name
        for file in contract
        for number, message in enumerate(file.message_type)
        if message.field and not WHO.search(comments(file)[4, number])
    ]
    assert silent == []


def test_every_field_that_can_grow_names_its_limit(contract: list[descriptors.FileDescriptorProto]) -> None:
    silent = []
    for file in contract:
        told = comments(file)
        for number, message in enumerate(file.message_type):
            for index, field in enumerate(message.field):
                repeated = field.label == descriptors.FieldDescriptorProto.LABEL_REPEATED
                duration = field.type_name == ".google.protobuf.Duration"
                bounded = field.type in UNLIMITED or (field.type == MESSAGE and not duration)
                if message.name == COUNTERS or (bounded and not repeated):
                    continue
                text = told[4, number, 2, index] + (told[4, number] if duration else "")
                if not LIMIT.search(text):
                    silent.append(f"{message.name}.{field.name}")
    assert silent == []
