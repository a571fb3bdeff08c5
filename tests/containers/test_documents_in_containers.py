"""The document pipeline with every part in a container of its own, on a private network."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
LICENSES = Path("/usr/share/common-licenses")
IMAGES_TIMEOUT_S = 30 * 60
RUN_DEADLINE_S = 150.0
LOOK_INTERVAL_S = 0.2


@pytest.fixture(scope="session")
def images(docker_engine: None) -> None:
    """All images, built from this checkout."""
    environment = {**os.environ, "DOCKER_BUILDKIT": os.environ.get("DOCKER_BUILDKIT", "0")}
    done = subprocess.run(
        [str(ROOT / "scripts/images")],
        env=environment,
        capture_output=True,
        text=True,
        timeout=IMAGES_TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, f"scripts/images failed:\n{done.stdout}\n{done.stderr}"


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few licence texts, one of them twice."""
    directory = tmp_path_factory.mktemp("documents")
    directory.chmod(0o755)
    for name in ("Apache-2.0", "BSD", "GPL-2", "GPL-3", "MPL-2.0"):
        shutil.copyfile(LICENSES / name, directory / name)
    shutil.copyfile(LICENSES / "BSD", directory / "BSD-again")
    return directory


@pytest.fixture(scope="module")
def finished(images: None, documents: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a run through the containers left: the result, the entries, the page."""
    from container_stack import running_containers
    from pipeline_run import PipelineRun
    from pyflow.swf import make_client

    output = tmp_path_factory.mktemp("output")
    output.chmod(0o777)  # the container's user is another
    with running_containers(documents, output) as stack:
        swf = make_client(endpoint_url=stack.endpoint)
        run = PipelineRun(
            stack,  # type: ignore[arg-type]  # containers in place of processes, asked the same things
            swf,
            directory=Path("/documents"),
            output=Path("/output"),
            time_limit_s=int(RUN_DEADLINE_S),
        )
        until_s = time.monotonic() + RUN_DEADLINE_S
        while run.close_event is None:
            stories = "\n".join(part.story("so far") for part in stack.processes.values())
            assert time.monotonic() < until_s, f"the run did not end; {stories}"
            stack.check()
            for _ in run.look():
                pass
            time.sleep(LOOK_INTERVAL_S)
    assert run.close_event["eventType"] == "WorkflowExecutionCompleted", run.close_event
    result = run.close_event["workflowExecutionCompletedEventAttributes"]["result"]
    stored = [json.loads(path.read_text("utf-8")) for path in (output / "entries").glob("*.json")]
    entries = {entry["name"]: entry for entry in stored}
    return {"found": json.loads(result), "entries": entries, "page": (output / "report.html").read_text("utf-8")}


def test_all_documents_went_through_all_languages(documents: Path, finished: dict[str, Any]) -> None:
    names = {path.name for path in documents.iterdir()}
    assert finished["found"]["documents"] == len(names)
    assert finished["found"]["failed"] == 0
    for name in names:
        entry = finished["entries"][name]
        assert entry["words"]["words"] > 0, "Ruby"
        assert len(entry["fingerprint"]["sha256"]) == 64, "Java"
        assert entry["summary"], "Python"
        assert entry["language"] == "en", "Lambda"
        assert f"<td>{name}<" in finished["page"]


def test_the_document_that_is_there_twice_is_found(finished: dict[str, Any]) -> None:
    assert finished["found"]["duplicates"] >= 1
    assert finished["entries"]["BSD"]["fingerprint"] == finished["entries"]["BSD-again"]["fingerprint"]
