"""The bearer tokens a host accepts, and the key that seals its task tokens."""

from __future__ import annotations

import base64
import binascii
import contextlib
import hmac
import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path

from pyflow_host.core.limits import AUTH_TOKEN_BYTES_MAX
from pyflow_host.core.tokens import KEY_BYTES_MIN
from pyflow_host.errors import BadOptions

TOKEN_KEY_VARIABLE = "PYFLOW_TOKEN_KEY"
TOKEN_KEY_BYTES = 32
TOKEN_FILE_BYTES_MAX = 64 * 1024


class TokenCheck:
    """Accepts the tokens in a file, one a line; the file is read again when it changes. No file: accepts all."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._stamp: tuple[int, int, int] | None = None
        self._tokens: tuple[bytes, ...] = ()
        if file is not None:
            self._refresh()

    def accepts(self, token: str) -> bool:
        """Whether the token is among those accepted now."""
        if self._file is None:
            return True
        # A file that is being replaced keeps the tokens that were valid before.
        with contextlib.suppress(BadOptions):
            self._refresh()
        given = token.encode()
        if len(given) > AUTH_TOKEN_BYTES_MAX:
            return False
        return bool([known for known in self._tokens if hmac.compare_digest(known, given)])

    def _refresh(self) -> None:
        assert self._file is not None
        try:
            status = self._file.stat()
            stamp = (status.st_mtime_ns, status.st_ino, status.st_size)
            if stamp == self._stamp:
                return
            lines = self._file.read_bytes()[:TOKEN_FILE_BYTES_MAX].splitlines()
        except OSError as error:
            raise BadOptions(f"The token file {self._file} cannot be read: {error.strerror}.") from error
        tokens = tuple(line.strip() for line in lines if line.strip() and not line.startswith(b"#"))
        if not tokens:
            raise BadOptions(f"The token file {self._file} holds no token; write one a line.")
        if max(map(len, tokens)) > AUTH_TOKEN_BYTES_MAX:
            raise BadOptions(
                f"The token file {self._file} holds a token of more than {AUTH_TOKEN_BYTES_MAX} bytes; no worker may "
                "send one that long. Write a shorter one."
            )
        self._tokens, self._stamp = tokens, stamp


def token_keys(file: Path | None, environ: Mapping[str, str]) -> tuple[bytes, ...]:
    """The keys that seal task tokens: from PYFLOW_TOKEN_KEY (base64, several with commas), else from `file`.

    The first key seals, all are accepted. The file (default: in the user's state directory) is made on first use with
    mode 0600, so that a host started again accepts the tokens of the one before. Raises BadOptions.
    """
    spelled = environ.get(TOKEN_KEY_VARIABLE)
    if spelled and file is None:
        return tuple(_decoded(part, TOKEN_KEY_VARIABLE) for part in spelled.split(","))
    path = file or default_key_file(environ)
    try:
        return _read_or_made(path)
    except OSError as error:
        raise BadOptions(
            f"The key file {path} cannot be used: {error.strerror}. Name another with --token-key-file, or give the "
            f"key in {TOKEN_KEY_VARIABLE}."
        ) from error


def default_key_file(environ: Mapping[str, str]) -> Path:
    """Where the key is kept unless an option says otherwise."""
    base = environ.get("XDG_STATE_HOME") or str(Path(environ.get("HOME") or "~").expanduser() / ".local" / "state")
    return Path(base) / "pyflow" / "host-token.key"


def _read_or_made(path: Path) -> tuple[bytes, ...]:
    try:
        text = path.read_text()
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        made = base64.b64encode(secrets.token_bytes(TOKEN_KEY_BYTES)).decode()
        partial = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as out:
            out.write(made + "\n")
        try:
            os.link(partial, path)  # unlike rename, this lets the first of two hosts win
        except FileExistsError:
            pass
        finally:
            partial.unlink()
        text = path.read_text()
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise BadOptions(f"The key file {path} can be read by others. Do: chmod 600 {path}")
    keys = [line.strip() for line in text.splitlines() if line.strip()]
    if not keys:
        raise BadOptions(f"The key file {path} is empty. Remove it to have a new key made.")
    return tuple(_decoded(key, str(path)) for key in keys)


def _decoded(text: str, where: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadOptions(f"{where} holds a key that is no base64.") from error
    if len(key) < KEY_BYTES_MIN:
        raise BadOptions(f"{where} holds a key of {len(key)} bytes; {KEY_BYTES_MIN} are the least.")
    return key
