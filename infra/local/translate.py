"""template.yaml → a CloudFormation template that the emulator carries out. Pure: text in, dictionaries out.

The emulator accepts what AWS accepts, but it ignores or misreads some things without a word. They are put right here, so
that the template can stay what a SAM user expects:

1. SAM writes the routes of an `HttpApi` into `Body` (OpenAPI), which the emulator ignores: every request would be a
   404. They become explicit routes and integrations.
2. The ids of APIs are random. A tag fixes them, so that the launcher can serve both APIs without a prefix.
3. Some kinds of policy condition cannot hold here: `kms:EncryptionContext:…`, `ec2:…` and those about tags, keys that
   the emulator leaves empty for these services, and `aws:SecureTransport`, for the emulator speaks plain HTTP. An Allow
   loses the condition, a Deny is left out.
4. The emulator answers every frame of a WebSocket with what the function returns, and knows no resource that says so:
   route responses are left out.
5. The emulator does not see which resource `ec2:CreateTags` names: it is allowed on all or on none.
6. It does not know saved queries of logs (`AWS::Logs::QueryDefinition`); nothing here could run them. They are left out,
   and so are alarms and the dashboard, at which nobody looks here, and permissions of APIs, which SAM makes and the
   emulator does not ask for: a stack may have 500 resources, and here the routes of 1. count among them.

What a template may hold but nothing here translates (authorizers, CORS and conditional routes) is refused by name.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import Any

import yaml
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

HTTP_API_ID = "10ca1a91"  # eight hexadecimal digits, or the emulator takes the id for a host name
HTTP_API_STAGE = "$default"  # SAM's own; named in full, or the emulator takes the first part of a path for a stage
WEBSOCKET_API_ID = "10ca1a92"
WEBSOCKET_STAGE = "ws"  # the stage that template.yaml names: on AWS, too, the socket's address then ends in /ws

FUNCTION = "AWS::Serverless::Function"
API = "AWS::ApiGatewayV2::Api"
ROUTE_RESPONSE = "AWS::ApiGatewayV2::RouteResponse"
PERMISSION = "AWS::Lambda::Permission"
POLICIES_OF_THINGS = ("AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy")
UNSEEN = ("AWS::Logs::QueryDefinition", "AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard")
UNMEETABLE = (
    "kms:EncryptionContext",
    "aws:SecureTransport",
    "ec2:",
    "aws:RequestTag",
    "aws:ResourceTag",
    "aws:TagKeys",
)


logging.getLogger("samtranslator.metrics").setLevel(logging.ERROR)  # it warns of metrics that nobody here publishes


class DeployError(Exception):
    """The stack was not deployed; the message names the reason."""


def translate(text: str, parameters: dict[str, str], code_of: Callable[[str], str]) -> dict[str, Any]:
    """The template for the emulator. `code_of` turns a domain into the S3 address of its zip."""
    template = _transform(text, parameters, code_of)
    resources = {name: it for name, it in template["Resources"].items() if not _is_unseen(it)}
    template["Resources"] = resources
    for name, api in [(name, r) for name, r in resources.items() if r["Type"] == API]:
        _fix_id(api["Properties"])
        if body := api["Properties"].pop("Body", None):
            api["Properties"] |= {"ProtocolType": "HTTP", "Name": body["info"]["title"]}
            _refuse_untranslated(name, api["Properties"], body)
            resources |= _routes(name, body["paths"])
    for name in [name for name, resource in resources.items() if resource["Type"] == ROUTE_RESPONSE]:
        del resources[name]
    _drop_unmeetable_conditions(resources)
    return template


def _is_unseen(resource: dict) -> bool:
    of_api = resource.get("Properties", {}).get("Principal") == "apigateway.amazonaws.com"
    return resource["Type"] in UNSEEN or (resource["Type"] == PERMISSION and of_api)


def _transform(text: str, parameters: dict[str, str], code_of: Callable[[str], str]) -> dict[str, Any]:
    """What SAM itself makes of the template, as CloudFormation would on AWS."""
    try:
        template = yaml_parse(text)
        _place_code(template["Resources"], code_of)
        return transform(template, dict(parameters), _NoManagedPolicies())
    except yaml.YAMLError as error:
        raise DeployError(f"template.yaml is not YAML: {error}") from error
    except InvalidDocumentException as error:
        raise DeployError("; ".join(cause.message for cause in error.causes)) from error


class _NoManagedPolicies:
    """SAM wants to know the account's managed policies, to resolve bare names; the template names none."""

    def load(self) -> dict[str, str]:
        return {}


def _place_code(resources: dict, code_of: Callable[[str], str]) -> None:
    """`CodeUri: target/lambda/<domain>/` → the uploaded zip of that domain."""
    for name, function in resources.items():
        if function["Type"] != FUNCTION:
            continue
        uri = function["Properties"].get("CodeUri")
        if not isinstance(uri, str):
            raise DeployError(f"{name} has no CodeUri of the form target/lambda/<domain>/")
        function["Properties"]["CodeUri"] = code_of(PurePosixPath(uri).name)


def _fix_id(properties: dict) -> None:
    websocket = properties.get("ProtocolType") == "WEBSOCKET"
    fixed = WEBSOCKET_API_ID if websocket else HTTP_API_ID
    properties["Tags"] = {**properties.get("Tags", {}), "ms-custom-id": fixed}


def _refuse_untranslated(name: str, properties: dict, body: dict) -> None:
    if "CorsConfiguration" in properties or "x-amazon-apigateway-cors" in body:
        raise DeployError(f"{name} has a CorsConfiguration, which infra/local/translate.py does not translate")
    if body.get("components", {}).get("securitySchemes"):
        raise DeployError(f"{name} has an authorizer, which infra/local/translate.py does not translate")


def _routes(api: str, paths: dict) -> dict[str, dict]:
    """One integration per function and one route per operation.

    Logical ids are made from what the resource is, so that an update changes a deployed API in place.
    """
    resources = {}
    for path, operations in paths.items():
        for method, operation in operations.items():
            integration = operation.get("x-amazon-apigateway-integration") if isinstance(operation, dict) else None
            if integration is None:
                raise DeployError(f"{method} {path} of {api} is conditional or has no function behind it")
            uri = integration["uri"]
            integration_id = f"{api}Integration{_digest(json.dumps(uri, sort_keys=True))}"
            resources[integration_id] = _integration(api, uri)
            key = _route_key(method, path)
            resources[f"{api}Route{_digest(key)}"] = _route(api, key, integration_id)
    return resources


def _route_key(method: str, path: str) -> str:
    if path.removeprefix("/") == "$default":
        return "$default"
    return f"{'ANY' if method == 'x-amazon-apigateway-any-method' else method.upper()} {path}"


def _integration(api: str, uri: Any) -> dict:
    return {
        "Type": "AWS::ApiGatewayV2::Integration",
        "Properties": {
            "ApiId": {"Ref": api},
            "IntegrationType": "AWS_PROXY",
            "IntegrationUri": uri,
            "PayloadFormatVersion": "2.0",
        },
    }


def _route(api: str, key: str, integration_id: str) -> dict:
    return {
        "Type": "AWS::ApiGatewayV2::Route",
        "Properties": {
            "ApiId": {"Ref": api},
            "RouteKey": key,
            "Target": {"Fn::Sub": f"integrations/${{{integration_id}}}"},
        },
    }


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def _drop_unmeetable_conditions(resources: dict) -> None:
    for name, resource in list(resources.items()):
        for policy in _policies(resource):
            policy["Statement"] = [kept for statement in policy["Statement"] if (kept := _meetable(statement))]
            if not policy["Statement"] and resource["Type"] in POLICIES_OF_THINGS:
                del resources[name]


def _policies(node: Any) -> Iterator[dict]:
    """Every policy document beneath a node."""
    if isinstance(node, list):
        for child in node:
            yield from _policies(child)
    elif isinstance(node, dict):
        if isinstance(node.get("Statement"), list):
            yield node
        for child in node.values():
            yield from _policies(child)


def _meetable(statement: dict) -> dict | None:
    """The statement without the conditions that cannot hold here; None if that leaves nothing to say.

    A Deny without its condition would refuse everything.
    """
    if "Action" not in statement:  # one that is there under a condition of the template
        return statement
    if "ec2:CreateTags" in statement["Action"]:
        statement = {**statement, "Resource": "*"}
    conditions = statement.get("Condition", {})
    kept = {operator: _without(UNMEETABLE, keys) for operator, keys in conditions.items()}
    if kept == conditions:
        return statement
    if statement["Effect"] == "Deny":
        return None
    kept = {operator: keys for operator, keys in kept.items() if keys}
    rest = {key: value for key, value in statement.items() if key != "Condition"}
    return rest | ({"Condition": kept} if kept else {})


def _without(prefixes: tuple[str, ...], keys: dict) -> dict:
    return {key: value for key, value in keys.items() if not key.startswith(prefixes)}
