"""Makes the modules of examples/documents importable, and says when there is no Docker engine to be had."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT / "examples/documents")]

# The tests remove what they start themselves; the library's own cleaner would be an image to be pulled.
# Read by the library as it is imported, so it is said before that.
os.environ["TESTCONTAINERS_RYUK_DISABLED"] = "true"


@pytest.fixture(scope="session")
def docker_engine() -> None:
    """A Docker engine that answers. Without one tests are skipped, and where CI=true they fail."""
    import docker

    try:
        client = docker.from_env(timeout=10)
        client.ping()
        client.close()
    except docker.errors.DockerException as error:
        text = f"no Docker engine answers ({error}); start one (as root: dockerd) to test the containers"
        if os.environ.get("CI") == "true":
            pytest.fail(text)
        pytest.skip(text)
