"""The lean transport for SWF's hot operations: own signer with a cached day key, kept-alive sockets, orjson.

What is hard stays botocore's: credentials and their refresh, region, endpoint, trusted certificates. What is replaced
is its serializer, signer, HTTP layer and parser, which cost ten to thirty times as much (docs and bench/swf_client).
It answers the same contract tests as boto3.
"""

from pyflow.swf.lean.credentials import CredentialSource
from pyflow.swf.lean.transport import Exchange, LeanTransport

__all__ = ["CredentialSource", "Exchange", "LeanTransport"]
