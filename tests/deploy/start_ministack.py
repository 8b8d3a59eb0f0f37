"""Starts MiniStack with the corrections that the deploy test needs.

Started by `run`, with MiniStack's own environment variables. Each correction names the behaviour it is
for; take it away when a later MiniStack no longer needs it.
"""

import json
import re
import socketserver
import sys

from ministack.app import main
from ministack.core import iam_actions
from ministack.services import lambda_svc
from ministack.services.cloudformation import provisioners

# Functions poll over loopback: without this, each invocation waits 45 ms for a delayed acknowledgement.
socketserver.StreamRequestHandler.disable_nagle_algorithm = True


def _with_numbers(esm, *rest, _original=lambda_svc._sqs_esm_concurrency):
    """A number that came from a template's parameter is kept as text, and stops the poller."""
    scaling = esm.get("ScalingConfig") or {}
    if "MaximumConcurrency" in scaling:
        esm["ScalingConfig"] = {**scaling, "MaximumConcurrency": int(scaling["MaximumConcurrency"])}
    return _original(esm, *rest)


lambda_svc._sqs_esm_concurrency = _with_numbers


def _with_booleans(handler):
    """So is a boolean: DescribeTable then answers "false" in quotes, which the official clients cannot read, and
    DeleteTable takes it for true."""

    def corrected(properties):
        value = properties.get("DeletionProtectionEnabled")
        if isinstance(value, str):
            return {**properties, "DeletionProtectionEnabled": value == "true"}
        return properties

    def create(logical_id, properties, *rest, **named):
        return handler["create"](logical_id, corrected(properties), *rest, **named)

    def update(physical_id, old, new, *rest, **named):
        return handler["update"](physical_id, corrected(old), corrected(new), *rest, **named)

    return {**handler, "create": create, "update": update}


_TABLE = "AWS::DynamoDB::Table"
provisioners._RESOURCE_HANDLERS[_TABLE] = _with_booleans(provisioners._RESOURCE_HANDLERS[_TABLE])

# The hash keys of the table and of its indexes.
_HASH_KEYS = ("pk", "due", "attn")
_EQUALS = re.compile(r"(#?\w+)\s*=\s*(:\w+)")


def _leading_keys(request):
    """The hash keys that a request names, as dynamodb:LeadingKeys has them. Of a transaction all at once, where AWS
    asks for each item: as long as no statement allows one key only beside another, the answers are the same."""

    def of(row):
        value = row.get("pk") if isinstance(row, dict) else None
        return [value["S"]] if isinstance(value, dict) and "S" in value else []

    keys = of(request.get("Key")) + of(request.get("Item"))
    for table in (request.get("RequestItems") or {}).values():
        for entry in table.get("Keys", []) if isinstance(table, dict) else table:
            keys += of(entry) if isinstance(table, dict) else [
                key for write in entry.values() for key in of(write.get("Key")) + of(write.get("Item"))
            ]
    for item in request.get("TransactItems") or []:
        for action in item.values():
            keys += of(action.get("Key")) + of(action.get("Item"))
    names = request.get("ExpressionAttributeNames") or {}
    values = request.get("ExpressionAttributeValues") or {}
    for name, value in _EQUALS.findall(request.get("KeyConditionExpression") or ""):
        if names.get(name, name) in _HASH_KEYS:
            keys.append(values.get(value, {}).get("S", ""))
    return keys


def _with_leading_keys(body, _original=iam_actions.dynamodb_service_context):
    """Conditions on dynamodb:LeadingKeys are evaluated, but the request's keys were never looked up."""
    try:
        keys = _leading_keys(json.loads(body or b"{}"))
    except (ValueError, AttributeError):
        keys = []
    context = _original(body)
    return {**context, "dynamodb:LeadingKeys": keys} if keys else context


iam_actions.dynamodb_service_context = _with_leading_keys


def _with_encryption_context(service, action, body, *rest, _original=iam_actions.request_tag_context):
    """Nor was the encryption context of a KMS request."""
    found = _original(service, action, body, *rest)
    if service != "kms":
        return found
    try:
        context = json.loads(body or b"{}").get("EncryptionContext") or {}
    except (ValueError, AttributeError):
        return found
    named = {f"kms:EncryptionContext:{name}": value for name, value in context.items()}
    return {**found, **named, "kms:EncryptionContextKeys": list(context)} if context else found


iam_actions.request_tag_context = _with_encryption_context

sys.exit(main())
