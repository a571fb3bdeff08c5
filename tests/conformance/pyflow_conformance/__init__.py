"""The conformance suite: holds workers of any language, and the activity host, to the contract of proto/README.md."""
