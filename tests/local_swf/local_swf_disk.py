"""What a disk may hold after power loss, built from a trace of the writes and syncs that a server made."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

TRACED = "pwrite64,ftruncate,fdatasync,fsync,write"
SECTOR_BYTES = 512
STRING_LENGTH_MAX = 1 << 20
_CALL = re.compile(r'^\d+ +(?P<name>\w+)\((?P<fd>\d+)(?:<(?P<path>[^>]*)>)?(?:, "(?P<data>[^"]*)")?(?P<rest>.*)$')


def strace_options(output: Path) -> list[str]:
    """The options of strace for a trace that `operations` reads."""
    return ["-D", "-f", "-qq", "-y", "-xx", "-s", str(STRING_LENGTH_MAX), "-e", f"trace={TRACED}", "-o", str(output)]


@dataclass(frozen=True, slots=True)
class Operation:
    """A system call that succeeded: a write, truncate or sync of a file, or bytes sent to a client (`path` is None)."""

    name: str
    path: str | None
    data: bytes = b""
    offset: int = 0


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


def operations(trace: str, folder: Path) -> Iterator[Operation]:
    """What a trace says of the files of a folder and of sockets, in order."""
    for line in trace.splitlines():
        found = _CALL.match(line)
        if found is None or " = -1 " in line:
            continue
        name, rest = found["name"], found["rest"]
        path = _bytes(found["path"] or "").decode()
        if name == "write":
            if path.startswith("socket:"):
                yield Operation(name, None, _bytes(found["data"]))
            continue
        if Path(path).parent != folder or Path(path) == folder:
            continue
        numbers = [int(number) for number in re.findall(r", (\d+)", rest)]
        if name == "pwrite64":
            yield Operation(name, path, _bytes(found["data"]), numbers[-1])
        else:
            yield Operation(name, path, b"", numbers[0] if numbers else 0)


@dataclass(slots=True)
class Disk:
    """Files as they surely are on the disk, and what was written since their last sync."""

    synced: dict[str, bytearray]
    pending: dict[str, list[Operation]] = field(default_factory=dict)

    def take(self, one: Operation) -> None:
        """One more operation upon a file."""
        assert one.path is not None
        if one.name in {"fdatasync", "fsync"}:
            image = self.synced.setdefault(one.path, bytearray())
            for earlier in self.pending.pop(one.path, []):
                _apply(image, earlier)
        else:
            self.pending.setdefault(one.path, []).append(one)

    def after_power_loss(self, chance: random.Random | None) -> dict[str, bytes]:
        """The files: all that is synced, and of the rest nothing (`chance` None) or whatever chance has it, even in
        another order than it was written, and pieces of it.
        """
        files = {path: bytearray(image) for path, image in self.synced.items()}
        for path, writes in self.pending.items():
            image = files.setdefault(path, bytearray())
            if chance is None:
                continue
            kept = [one for one in writes if chance.random() < 0.7]
            chance.shuffle(kept)
            for one in kept:
                _apply(image, _torn(one, chance) if chance.random() < 0.1 else one)
        return {path: bytes(image) for path, image in files.items()}


def _apply(image: bytearray, one: Operation) -> None:
    if one.name == "ftruncate":
        del image[one.offset :]
        image.extend(bytes(one.offset - len(image)))
        return
    end = one.offset + len(one.data)
    image.extend(bytes(max(0, end - len(image))))
    image[one.offset : end] = one.data


def _torn(one: Operation, chance: random.Random) -> Operation:
    """Only some of the sectors of a write, from its begin or to its end."""
    middle = chance.randrange(len(one.data) // SECTOR_BYTES + 1) * SECTOR_BYTES if one.name == "pwrite64" else 0
    if not middle:
        return one
    if chance.random() < 0.5:
        return Operation(one.name, one.path, one.data[:middle], one.offset)
    return Operation(one.name, one.path, one.data[middle:], one.offset + middle)
