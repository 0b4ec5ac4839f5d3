"""Two organizations with people, environments and keys: the same ones at every start, exactly as clients read them in local.json."""

from __future__ import annotations

import os
from typing import Any, cast

from tapedeck.environments import keys, store, tokens
from tapedeck.environments.model import Environment, EnvironmentRole, Organization, OrganizationRole, User

# Who is what in the organization, and in both of its environments.
PEOPLE: dict[str, tuple[OrganizationRole, EnvironmentRole | None]] = {
    "owner": ("owner", "owner"),
    "admin": ("admin", "admin"),
    "member": ("member", "member"),
    "outsider": ("member", None),
}
ORGANIZATIONS = {"acme": "Acme Bookshops", "globex": "Globex Travel"}
ENVIRONMENTS = ("web", "mobile")


def point_at(outputs: dict[str, str], stage: str = "local") -> None:
    """Let `tapedeck.aws` find the stack's tables, as template.yaml does for a function."""
    os.environ.update(
        STAGE=stage,
        CONTROL_TABLE=outputs["ControlTable"],
        REPLAYS_TABLE=outputs["ReplaysTable"],
        RECORDINGS_BUCKET=outputs["RecordingsBucket"],
    )


def seed(api_url: str, known: dict[str, Any] | None) -> dict[str, Any]:
    """What local.json says. Whatever of `known` still opens is kept; what is missing is made; what is lost is issued again."""
    before = {row["slug"]: row for row in (known or {}).get("organizations", [])}
    organizations = [_organization(slug, name, api_url, before.get(slug, {})) for slug, name in ORGANIZATIONS.items()]
    owner = organizations[0]["users"]["owner"]["token"]
    return {"api_url": api_url, "console_url": f"{api_url}/console/#token={owner}", "organizations": organizations}


def bootstrap(slug: str, name: str, email: str, environment: str, api_url: str) -> dict[str, Any]:
    """The first organization of a deployed stack: its owner, one environment, and the tokens, shown once."""
    organization = store.create_organization(slug, name)
    owner = store.create_user(organization.id, email, email.split("@")[0], "owner")
    made = store.create_environment(organization.id, environment, owner)
    token, _ = keys.issue("tdu", organization.id, owner.id, name="bootstrap")
    return {
        "organization": slug,
        "owner": {"email": email, "token": token},
        "environment": _handles(made, api_url, cast(str, made.collection_token)),
    }


def _organization(slug: str, name: str, api_url: str, known: dict[str, Any]) -> dict[str, Any]:
    number = store.organization_id(slug)
    organization = (store.organization(number, fresh=True) if number else None) or store.create_organization(slug, name)
    people = _people(organization)
    environments = []
    before = {row["slug"]: row for row in known.get("environments", [])}
    for each in ENVIRONMENTS:
        made = _environment(organization, each, people)
        row = before.get(each, {})
        same = row.get("collection_id") == made.collection_id
        token = made.collection_token or (row.get("collection_token") if same else None)
        environments.append(_handles(made, api_url, token or store.issue_collection_token(organization.id, made)))
    tokens_before = {role: row.get("token") for role, row in known.get("users", {}).items()}
    return {
        "slug": slug,
        "team_id": organization.team_id,
        "org_key": _token("tdo", organization, None, known.get("org_key"), "local organization key"),
        "users": {
            role: {"email": user.email, "token": _token("tdu", organization, user, tokens_before.get(role), f"local {role}")}
            for role, user in people.items()
        },
        "environments": environments,
    }


def _people(organization: Organization) -> dict[str, User]:
    known = {user.email: user for user in store.people(organization.id)}
    made = {}
    for role, (rank, _) in PEOPLE.items():
        email = f"{role}@{organization.slug}.example"
        made[role] = known.get(email) or store.create_user(organization.id, email, f"{organization.slug.title()} {role.title()}", rank)
    return made


def _environment(organization: Organization, slug: str, people: dict[str, User]) -> Environment:
    made = organization.environment(slug) or store.create_environment(organization.id, slug, people["owner"])
    for role, (_, place) in PEOPLE.items():
        if place and made.roles.get(people[role].id) != place:
            made = store.set_role(organization.id, made, people[role].id, place)
    return made


def _token(kind: tokens.Kind, organization: Organization, user: User | None, known: str | None, name: str) -> str:
    claim = tokens.parse(known) if isinstance(known, str) else None
    if claim is not None and known is not None:
        key = keys.get(claim.key_id, fresh=True)
        if (
            keys.opens(claim, key)
            and key is not None
            and (key.organization_id, key.user_id) == (organization.id, user.id if user else None)
        ):
            return known
    token, _ = keys.issue(kind, organization.id, user.id if user else None, dev=True, name=name)
    return token


def _handles(environment: Environment, api_url: str, collection_token: str) -> dict[str, Any]:
    scheme, _, rest = api_url.partition("://")
    return {
        "envId": environment.env_id,
        "slug": environment.slug,
        "project_id": environment.project_id,
        "projectKey": environment.project_key,
        "bucket_id": environment.bucket_id,
        "public_key": environment.public_key,
        "dsn": f"{scheme}://{environment.public_key}@{rest}/{environment.project_id}",
        "collection_id": environment.collection_id,
        "collection_token": collection_token,
    }
