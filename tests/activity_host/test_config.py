"""What host.toml can name is told in docs/activity-host.md, and the example there can be read."""

from __future__ import annotations

import re
from pathlib import Path

from pyflow_host import config

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "activity-host.md"


def example() -> str:
    found = re.search(r"```toml\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


def test_every_key_is_in_the_documents_example() -> None:
    sections: dict[str, set[str]] = {"": set()}
    current = ""
    for line in example().splitlines():
        if header := re.match(r"\[+(\w+)\]+", line):
            current = header[1]
            sections[current] = set()
        elif key := re.match(r"(\w+) = ", line):
            sections[current].add(key[1])
    assert sections == {
        "": set(config._TOP),
        "swf": set(config._SWF),
        "tls": set(config._TLS),
        "worker": set(config._WORKER),
    }


def test_the_example_can_be_read(tmp_path: Path) -> None:
    file = tmp_path / "host.toml"
    file.write_text(example(), encoding="utf-8")
    options = config.read_config(file)
    assert options["domains"] == ["documents", "billing"]
    assert options["streams_max"] == 4_000
    assert options["tls"].client_ca_file == Path("/etc/pyflow/workers-ca.pem")
    worker = options["workers"][0]
    assert worker.command == ("pyflow-activity", "words.rb")
    assert worker.env == {
        "PYFLOW_TASK_LIST": "words",
        "PYFLOW_DOMAIN": "documents",
        "PYFLOW_SLOTS": "16",
        "LANG": "C.UTF-8",
    }
    assert (worker.count, worker.memory_limit_bytes, worker.directory) == (2, 512 * 2**20, Path("/srv/words"))
