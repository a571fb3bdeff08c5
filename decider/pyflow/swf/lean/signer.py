"""AWS Signature Version 4 for SWF's one kind of request, with everything precomputed that does not change.

Equal to botocore's SigV4Auth for the same headers (a test holds it to that with random requests).
"""

from __future__ import annotations

import hashlib
import hmac
import time

CONTENT_TYPE = "application/x-amz-json-1.0"
TARGET_PREFIX = "SimpleWorkflowService."


class Signer:
    """Signs requests `POST path` to `host` for one set of credentials. Safe to use from many threads.

    `path` must be normalized and quoted already. Times are epoch seconds.
    """

    def __init__(
        self, *, access_key: str, secret_key: str, token: str | None, region: str, host: str, path: str = "/"
    ) -> None:
        self._secret = b"AWS4" + secret_key.encode()
        self._region = region.encode()
        names = ["content-type", "host", "x-amz-date", "x-amz-target"]
        if token:
            names.insert(3, "x-amz-security-token")
        signed_names = ";".join(names)
        self._access_key = access_key
        self._signed_names = signed_names
        self._before_date = f"POST\n{path}\n\ncontent-type:{CONTENT_TYPE}\nhost:{host}\nx-amz-date:"
        token_line = f"x-amz-security-token:{token}\n" if token else ""
        self._before_target = f"\n{token_line}x-amz-target:{TARGET_PREFIX}"
        self._before_hash = f"\n\n{signed_names}\n"
        self._token_header = f"X-Amz-Security-Token: {token}\r\n" if token else ""
        self._second: tuple[int, str] = (-1, "")
        self._day: tuple[str, bytes, str, str] = ("", b"", "", "")

    def headers(self, operation: str, body: bytes, now_s: float) -> str:
        """The header lines that carry date, token and signature, each ended with CRLF."""
        amz_date = self._amz_date(int(now_s))
        day, key, scope, authorization_start = self._day
        if not amz_date.startswith(day) or not day:
            day, key, scope, authorization_start = self._new_day(amz_date[:8])
        canonical = (
            f"{self._before_date}{amz_date}{self._before_target}{operation}{self._before_hash}"
            f"{hashlib.sha256(body).hexdigest()}"
        )
        to_sign = f"AWS4-HMAC-SHA256\n{amz_date}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
        return f"X-Amz-Date: {amz_date}\r\n{self._token_header}Authorization: {authorization_start}{signature}\r\n"

    def _amz_date(self, second: int) -> str:
        known, text = self._second
        if known != second:
            text = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(second))
            self._second = (second, text)
        return text

    def _new_day(self, day: str) -> tuple[str, bytes, str, str]:
        key = self._secret
        for part in (day.encode(), self._region, b"swf", b"aws4_request"):
            key = hmac.digest(key, part, "sha256")
        scope = f"{day}/{self._region.decode()}/swf/aws4_request"
        start = (
            f"AWS4-HMAC-SHA256 Credential={self._access_key}/{scope}, SignedHeaders={self._signed_names}, Signature="
        )
        self._day = (day, key, scope, start)
        return self._day
