"""Domains, types and their tags: register, describe, deprecate, undeprecate, delete, list."""

from __future__ import annotations

import orjson

from pyflow_local.engine.entities import Domain, RegisteredType
from pyflow_local.engine.faults import Fault, type_text, unknown_type
from pyflow_local.engine.limits import RESOURCE_TAGS_MAX
from pyflow_local.engine.paging import page_of, page_reply
from pyflow_local.engine.records import EntityDeleted, EntitySaved
from pyflow_local.engine.values import EMPTY_REPLY, JsonObject, Outcome, Reply
from pyflow_local.engine.world import World

WORKFLOW = "WorkflowType"
ACTIVITY = "ActivityType"
_MEMBER = {WORKFLOW: "workflowType", ACTIVITY: "activityType"}
_DEFAULTS = {
    WORKFLOW: (
        "defaultTaskStartToCloseTimeout",
        "defaultExecutionStartToCloseTimeout",
        "defaultTaskList",
        "defaultTaskPriority",
        "defaultChildPolicy",
        "defaultLambdaRole",
    ),
    ACTIVITY: (
        "defaultTaskStartToCloseTimeout",
        "defaultTaskHeartbeatTimeout",
        "defaultTaskList",
        "defaultTaskPriority",
        "defaultTaskScheduleToStartTimeout",
        "defaultTaskScheduleToCloseTimeout",
    ),
}


# --- domains ---------------------------------------------------------------------------------------------------


def domain_arn(world: World, name: str) -> str:
    """The ARN of a domain; the slash after the account's colon is SWF's own."""
    return f"arn:aws:swf:{world.region}:{world.account}:/domain/{name}"


def save_domain(world: World, domain: Domain) -> None:
    """Journal a domain as it is now."""
    value = {
        "number": domain.number,
        "description": domain.description,
        "retention": domain.retention,
        "deprecated": domain.deprecated,
        "tags": domain.tags,
    }
    world.outbox.journal.append(EntitySaved("domain", 0, domain.name, "", orjson.dumps(value)))


def _merge_tags(tags: dict[str, str], added: list[JsonObject]) -> dict[str, str]:
    merged = {**tags, **{tag["key"]: tag.get("value") or "" for tag in added}}
    if len(merged) > RESOURCE_TAGS_MAX:
        raise Fault("TooManyTagsFault", f"A resource can have at most {RESOURCE_TAGS_MAX} tags")
    return merged


def register_domain(world: World, request: JsonObject) -> Outcome:
    """RegisterDomain; deprecated names are taken too and count against the quota."""
    name = request["name"]
    if name in world.domains:
        raise Fault("DomainAlreadyExistsFault", name)
    if len(world.domains) >= world.quotas.domains:
        raise Fault("LimitExceededFault", f"At most {world.quotas.domains} domains can be registered")
    tags = _merge_tags({}, request.get("tags") or [])
    retention = request["workflowExecutionRetentionPeriodInDays"]
    domain = Domain(world.next_domain, name, request.get("description"), retention)
    domain.tags = tags
    world.next_domain += 1
    world.domains[name] = domain
    save_domain(world, domain)
    return EMPTY_REPLY


def _domain_info(world: World, domain: Domain) -> JsonObject:
    info: JsonObject = {
        "name": domain.name,
        "status": "DEPRECATED" if domain.deprecated else "REGISTERED",
        "arn": domain_arn(world, domain.name),
    }
    if domain.description is not None:
        info["description"] = domain.description
    return info


def describe_domain(world: World, request: JsonObject) -> Outcome:
    """DescribeDomain."""
    domain = world.domain(request["name"])
    body = {
        "domainInfo": _domain_info(world, domain),
        "configuration": {"workflowExecutionRetentionPeriodInDays": domain.retention},
    }
    return Reply(200, orjson.dumps(body))


def list_domains(world: World, request: JsonObject) -> Outcome:
    """ListDomains: by name."""
    deprecated = request["registrationStatus"] == "DEPRECATED"
    found = sorted((d for d in world.domains.values() if d.deprecated == deprecated), key=lambda d: d.name)
    page = page_of(world, "ListDomains", request, found)
    return page_reply("domainInfos", [_domain_info(world, d) for d in page.items], page.token)


def deprecate_domain(world: World, request: JsonObject) -> Outcome:
    """DeprecateDomain: its types are deprecated with it; what runs goes on."""
    domain = world.domain(request["name"])
    if domain.deprecated:
        raise Fault("DomainDeprecatedFault", domain.name)
    domain.deprecated = True
    save_domain(world, domain)
    for kind, types in domain.types.items():
        for one in types.values():
            if one.deprecated_ms is None:
                one.deprecated_ms = world.now_ms
                _save_type(world, domain, kind, one)
    return EMPTY_REPLY


def undeprecate_domain(world: World, request: JsonObject) -> Outcome:
    """UndeprecateDomain; its types stay deprecated."""
    domain = world.domain(request["name"])
    if not domain.deprecated:
        raise Fault("DomainAlreadyExistsFault", domain.name)
    domain.deprecated = False
    save_domain(world, domain)
    return EMPTY_REPLY


def require_registered(domain: Domain) -> None:
    """Raise DomainDeprecatedFault for a deprecated domain (not in the model for these calls; reference 3.3)."""
    if domain.deprecated:
        raise Fault("DomainDeprecatedFault", domain.name)


# --- tags ------------------------------------------------------------------------------------------------------


def _tagged_domain(world: World, arn: str) -> Domain:
    name = arn.partition(":/domain/")[2]
    if name in world.domains and arn == domain_arn(world, name):
        return world.domains[name]
    raise Fault("UnknownResourceFault", f"Unknown resource: {arn}")


def tag_resource(world: World, request: JsonObject) -> Outcome:
    """TagResource."""
    domain = _tagged_domain(world, request["resourceArn"])
    domain.tags = _merge_tags(domain.tags, request["tags"])
    save_domain(world, domain)
    return EMPTY_REPLY


def untag_resource(world: World, request: JsonObject) -> Outcome:
    """UntagResource; unknown keys are ignored."""
    domain = _tagged_domain(world, request["resourceArn"])
    gone = set(request["tagKeys"])
    domain.tags = {key: value for key, value in domain.tags.items() if key not in gone}
    save_domain(world, domain)
    return EMPTY_REPLY


def list_tags_for_resource(world: World, request: JsonObject) -> Outcome:
    """ListTagsForResource."""
    domain = _tagged_domain(world, request["resourceArn"])
    return Reply(200, orjson.dumps({"tags": [{"key": k, "value": v} for k, v in domain.tags.items()]}))


# --- types -----------------------------------------------------------------------------------------------------


def _save_type(world: World, domain: Domain, kind: str, one: RegisteredType) -> None:
    value = {
        "description": one.description,
        "createdMs": one.created_ms,
        "deprecatedMs": one.deprecated_ms,
        "defaults": one.defaults,
    }
    world.outbox.journal.append(EntitySaved(kind, domain.number, one.name, one.version, orjson.dumps(value)))


def register_type(world: World, request: JsonObject, kind: str) -> Outcome:
    """RegisterWorkflowType and RegisterActivityType; types never change afterwards."""
    domain = world.domain(request["domain"])
    require_registered(domain)
    name, version = request["name"], request["version"]
    types = domain.types[kind]
    if (name, version) in types:
        raise Fault("TypeAlreadyExistsFault", type_text(kind, name, version))
    quotas = world.quotas
    limit = quotas.workflow_types_per_domain if kind == WORKFLOW else quotas.activity_types_per_domain
    if len(types) >= limit:
        raise Fault("LimitExceededFault", f"A domain can hold at most {limit} types of this kind")
    defaults = {member: request[member] for member in _DEFAULTS[kind] if request.get(member)}
    one = RegisteredType(name, version, request.get("description"), world.now_ms, defaults)
    types[name, version] = one
    _save_type(world, domain, kind, one)
    return EMPTY_REPLY


def find_type(world: World, request: JsonObject, kind: str) -> tuple[Domain, RegisteredType]:
    """The domain and type a request names. Raises UnknownResourceFault."""
    domain = world.domain(request["domain"])
    named = request[_MEMBER[kind]]
    one = domain.types[kind].get((named["name"], named["version"]))
    if one is None:
        raise unknown_type(kind, named["name"], named["version"])
    return domain, one


def _type_info(one: RegisteredType, kind: str) -> JsonObject:
    info: JsonObject = {
        _MEMBER[kind]: {"name": one.name, "version": one.version},
        "status": "REGISTERED" if one.deprecated_ms is None else "DEPRECATED",
        "creationDate": one.created_ms / 1000,
    }
    if one.description is not None:
        info["description"] = one.description
    if one.deprecated_ms is not None:
        info["deprecationDate"] = one.deprecated_ms / 1000
    return info


def describe_type(world: World, request: JsonObject, kind: str) -> Outcome:
    """DescribeWorkflowType and DescribeActivityType: only the defaults that were given."""
    _, one = find_type(world, request, kind)
    return Reply(200, orjson.dumps({"typeInfo": _type_info(one, kind), "configuration": one.defaults}))


def list_types(world: World, request: JsonObject, kind: str) -> Outcome:
    """ListWorkflowTypes and ListActivityTypes: by name, then version."""
    domain = world.domain(request["domain"])
    deprecated = request["registrationStatus"] == "DEPRECATED"
    name = request.get("name")
    found = sorted(
        (
            one
            for one in domain.types[kind].values()
            if (one.deprecated_ms is not None) == deprecated and (name is None or one.name == name)
        ),
        key=lambda one: (one.name, one.version),
    )
    page = page_of(world, f"List{kind}s", request, found)
    return page_reply("typeInfos", [_type_info(one, kind) for one in page.items], page.token)


def deprecate_type(world: World, request: JsonObject, kind: str) -> Outcome:
    """DeprecateWorkflowType and DeprecateActivityType."""
    domain, one = find_type(world, request, kind)
    if one.deprecated_ms is not None:
        raise Fault("TypeDeprecatedFault", type_text(kind, one.name, one.version))
    one.deprecated_ms = world.now_ms
    _save_type(world, domain, kind, one)
    return EMPTY_REPLY


def undeprecate_type(world: World, request: JsonObject, kind: str) -> Outcome:
    """UndeprecateWorkflowType and UndeprecateActivityType."""
    domain, one = find_type(world, request, kind)
    if one.deprecated_ms is None:
        raise Fault("TypeAlreadyExistsFault", type_text(kind, one.name, one.version))
    one.deprecated_ms = None
    _save_type(world, domain, kind, one)
    return EMPTY_REPLY


def delete_type(world: World, request: JsonObject, kind: str) -> Outcome:
    """DeleteWorkflowType and DeleteActivityType: only deprecated ones; the name may be registered anew."""
    domain, one = find_type(world, request, kind)
    if one.deprecated_ms is None:
        text = "The type is currently registered and cannot be deleted in its current state"
        raise Fault("TypeNotDeprecatedFault", text)
    del domain.types[kind][one.name, one.version]
    world.outbox.journal.append(EntityDeleted(kind, domain.number, one.name, one.version))
    return EMPTY_REPLY
