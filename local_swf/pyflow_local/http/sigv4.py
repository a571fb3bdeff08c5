"""Verifies AWS Signature Version 4 of requests, with SWF's own errors for wrong ones."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import datetime, timezone

from pyflow_local.engine.faults import Fault

SKEW_SECONDS_MAX = 300
_ALGORITHM = "AWS4-HMAC-SHA256"
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 +Credential=(?P<key>[^/,\s]+)/(?P<day>\d{8})/(?P<region>[^/,\s]+)/(?P<service>[^/,\s]+)/"
    r"aws4_request, *SignedHeaders=(?P<headers>[^,\s]+), *Signature=(?P<signature>[0-9a-f]{64})\Z"
)
_DAY_KEYS_MAX = 256


class SignatureCheck:
    """Checks requests against known credentials (access key -> secret)."""

    def __init__(self, credentials: Mapping[str, str], service: str = "swf") -> None:
        self._credentials = dict(credentials)
        self._service = service
        self._day_keys: dict[tuple[str, str, str], bytes] = {}

    def __call__(self, method: bytes, path: bytes, headers: Mapping[bytes, bytes], body: bytes, now_s: float) -> None:
        """Raise a Fault unless the request is signed by a known key within the last minutes."""
        authorization = headers.get(b"authorization", b"").decode("latin-1")
        if not authorization:
            raise Fault("MissingAuthenticationTokenException", "Missing Authentication Token")
        parts = _AUTHORIZATION.match(authorization)
        stamp = headers.get(b"x-amz-date", b"").decode("latin-1")
        if parts is None or not stamp:
            text = "Authorization header requires 'Credential', 'SignedHeaders' and 'Signature' and a date header"
            raise Fault("IncompleteSignatureException", text)
        secret = self._credentials.get(parts["key"])
        if secret is None or parts["service"] != self._service:
            raise Fault("UnrecognizedClientException", "The security token included in the request is invalid.")
        self._check_time(stamp, parts["day"], now_s)
        names = parts["headers"].split(";")
        for name in ("host", "x-amz-date", "x-amz-target"):
            # An unsigned target would let whoever saw one request send another operation with its signature.
            if name not in names and (name != "x-amz-target" or b"x-amz-target" in headers):
                raise Fault("InvalidSignatureException", f"'{name}' must be a signed header")
        scope = f"{parts['day']}/{parts['region']}/{parts['service']}/aws4_request"
        canonical = _canonical(method, path, headers, names, body)
        digest = hashlib.sha256(canonical.encode("utf-8")).hexdigest()
        text = f"{_ALGORITHM}\n{stamp}\n{scope}\n{digest}"
        key = self._day_key(secret, parts["day"], parts["region"])
        wanted = hmac.new(key, text.encode("utf-8"), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(wanted, parts["signature"]):
            text = (
                "The request signature we calculated does not match the signature you provided. "
                "Check your AWS Secret Access Key and signing method."
            )
            raise Fault("InvalidSignatureException", text)

    @staticmethod
    def _check_time(stamp: str, day: str, now_s: float) -> None:
        try:
            at = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
        except ValueError:
            raise Fault("IncompleteSignatureException", "Date must be in ISO-8601 'basic format'") from None
        if not stamp.startswith(day):
            raise Fault("InvalidSignatureException", "The date of the credential scope is not that of the request")
        if abs(at.timestamp() - now_s) > SKEW_SECONDS_MAX:
            raise Fault("InvalidSignatureException", f"Signature expired or not yet valid: {stamp}")

    def _day_key(self, secret: str, day: str, region: str) -> bytes:
        known = self._day_keys.get((secret, day, region))
        if known is not None:
            return known
        key = b"AWS4" + secret.encode("utf-8")
        for part in (day, region, self._service, "aws4_request"):
            key = hmac.new(key, part.encode("utf-8"), hashlib.sha256).digest()
        if len(self._day_keys) >= _DAY_KEYS_MAX:
            self._day_keys.clear()
        self._day_keys[secret, day, region] = key
        return key


def _canonical(method: bytes, path: bytes, headers: Mapping[bytes, bytes], names: list[str], body: bytes) -> str:
    """The canonical request of the signature: method, path, no query, signed headers, hash of the body."""
    lines = "".join(f"{name}:{_value(headers, name)}\n" for name in names)
    parts = (method.decode("latin-1"), path.decode("latin-1"), "", lines, ";".join(names))
    return "\n".join((*parts, hashlib.sha256(body).hexdigest()))


def _value(headers: Mapping[bytes, bytes], name: str) -> str:
    """A header's value as it is signed: trimmed, runs of spaces as one."""
    return " ".join(headers.get(name.encode("latin-1"), b"").decode("utf-8", "replace").split())
