"""What schemathesis must not do to its own attack."""

import schemathesis

FAST = 1_000


@schemathesis.hook
def before_call(context, case, kwargs):
    """A valid limit of requests becomes another valid one: with a low limit all that follows would be a 429."""
    body = case.body
    if case.operation.path == "/v1/settings" and isinstance(body, dict):
        rate = body.get("api_requests_per_second")
        if type(rate) in (int, float) and 0 < rate < FAST:
            body["api_requests_per_second"] = FAST
