"""Logs of the host: ids of workflow, run and activity go along as fields, payloads and tokens never do."""

from __future__ import annotations

import json
import logging
import os
import time

FORMAT_VARIABLE = "PYFLOW_LOG_FORMAT"
_QUIET = ("botocore", "boto3", "urllib3", "asyncio", "grpc")


class TextFormatter(logging.Formatter):
    """One line for people: time, level, message, then the fields."""

    def format(self, record: logging.LogRecord) -> str:
        """See logging.Formatter."""
        line = super().format(record)
        fields: dict[str, str] = getattr(record, "fields", None) or {}
        return line + "".join(f" {name}={value}" for name, value in fields.items())


class JsonFormatter(logging.Formatter):
    """One JSON object a line, for machines."""

    def format(self, record: logging.LogRecord) -> str:
        """See logging.Formatter."""
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        entry = {
            "time": f"{stamp}.{int(record.msecs):03d}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **(getattr(record, "fields", None) or {}),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)


def log_to_stderr(level: int | str) -> None:
    """Log to standard error, as JSON when PYFLOW_LOG_FORMAT is `json`."""
    handler = logging.StreamHandler()
    if os.environ.get(FORMAT_VARIABLE) == "json":
        handler.setFormatter(JsonFormatter())
    else:
        handler.setFormatter(TextFormatter("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=level, handlers=[handler])
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
