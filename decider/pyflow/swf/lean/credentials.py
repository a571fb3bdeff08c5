"""Credentials as botocore finds and refreshes them, looked up anew when SWF says that they have expired."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import NamedTuple, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from pyflow.swf.boto_transport import swf_error
from pyflow.swf.faults import NotConfigured

logger = logging.getLogger("pyflow")

RENEW_AGAIN_AFTER_S = 5.0
"""Between two searches for new credentials, in seconds."""


KEYS_KEPT_S = 1.0
"""How long keys are used before botocore is asked again whether they need a refresh, in seconds."""


class Keys(NamedTuple):
    """What a request is signed with."""

    access_key: str
    secret_key: str
    token: str | None


class Frozen(Protocol):
    """botocore's ReadOnlyCredentials."""

    @property
    def access_key(self) -> str | None: ...
    @property
    def secret_key(self) -> str | None: ...
    @property
    def token(self) -> str | None: ...


class Refreshable(Protocol):
    """botocore's Credentials and RefreshableCredentials."""

    def get_frozen_credentials(self) -> Frozen:
        """The keys now; refreshed if they are about to expire."""


class CredentialSource:
    """Gives the keys to sign with. `search` finds credentials from the beginning (None: there are none).

    botocore refreshes temporary credentials by their own end time. Credentials from a file, rotated by somebody else,
    are read once by botocore; after `expired()` they are searched anew. Safe to use from many threads.
    """

    def __init__(
        self, search: Callable[[], Refreshable | None], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._search = search
        self._clock = clock
        self._lock = threading.Lock()
        self._found: Refreshable | None = None
        self._searched_at_s = float("-inf")
        self._known: tuple[float, Keys] | None = None

    def keys(self) -> Keys:
        """The keys to sign with now. Raises `NotConfigured` and `CredentialsExpired`."""
        return self._recent() or self._keys_of(self._found or self._search_now())

    def keys_at_hand(self) -> Keys | None:
        """The keys to sign with if they can be had without waiting for a file or the network, else None."""
        recent = self._recent()
        if recent is not None:
            return recent
        found = self._found
        if found is None or getattr(found, "refresh_needed", _never)():
            return None
        return self._keys_of(found)

    def _recent(self) -> Keys | None:
        known = self._known
        return known[1] if known is not None and self._clock() - known[0] < KEYS_KEPT_S else None

    def _keys_of(self, found: Refreshable) -> Keys:
        try:
            frozen = found.get_frozen_credentials()
        except (BotoCoreError, ClientError) as error:
            raise swf_error("credentials", error) from error
        if not frozen.access_key or not frozen.secret_key:
            raise NotConfigured("The AWS credentials found have no access key or no secret key.")
        keys = Keys(frozen.access_key, frozen.secret_key, frozen.token)
        self._known = (self._clock(), keys)
        return keys

    def expired(self) -> None:
        """SWF did not accept the keys: search anew at the next call, if the last search is some seconds ago."""
        with self._lock:
            if self._clock() - self._searched_at_s >= RENEW_AGAIN_AFTER_S:
                self._found = None
                self._known = None

    def _search_now(self) -> Refreshable:
        with self._lock:
            if self._found is None:
                self._searched_at_s = self._clock()
                try:
                    self._found = self._search()
                except (BotoCoreError, ClientError) as error:
                    raise swf_error("credentials", error) from error
            if self._found is None:
                raise NotConfigured("There are no AWS credentials any more: give them by environment, profile or role.")
            return self._found


def _never() -> bool:
    """For credentials that are not refreshed."""
    return False
