"""Starts MiniStack with two corrections that the deploy test needs.

Started by `run`, with MiniStack's own environment variables. Each correction names the behaviour it is
for; take it away when a later MiniStack no longer needs it.
"""

import socketserver
import sys

from ministack.app import main
from ministack.services import lambda_svc

# Functions poll over loopback: without this, each invocation waits 45 ms for a delayed acknowledgement.
socketserver.StreamRequestHandler.disable_nagle_algorithm = True


def _with_numbers(esm, *rest, _original=lambda_svc._sqs_esm_concurrency):
    """A number that came from a template's parameter is kept as text, and stops the poller."""
    scaling = esm.get("ScalingConfig") or {}
    if "MaximumConcurrency" in scaling:
        esm["ScalingConfig"] = {**scaling, "MaximumConcurrency": int(scaling["MaximumConcurrency"])}
    return _original(esm, *rest)


lambda_svc._sqs_esm_concurrency = _with_numbers

sys.exit(main())
