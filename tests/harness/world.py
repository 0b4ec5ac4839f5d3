"""Two organizations, so that isolation can be tried: the people, environments and tokens of product.md §6."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tapedeck.environments import keys, store
from tapedeck.environments.model import Environment


@dataclass(frozen=True)
class Person:
    """Somebody with a token that may do all that the person may."""

    id: int
    email: str
    token: str


@dataclass(frozen=True)
class World:
    """An organization as its owner knows it. Owner owns both environments, admin administers both, member belongs to both."""

    id: int
    slug: str
    team_id: str
    org_key: str
    users: Mapping[str, Person]
    environments: tuple[Environment, ...]

    @property
    def web(self) -> Environment:
        """The first environment."""
        return self.environments[0]

    @property
    def shop(self) -> Environment:
        """The second environment."""
        return self.environments[1]

    def token(self, role: str) -> str:
        """The token of the owner, admin, member or outsider."""
        return self.users[role].token


def create(slug: str, *, dev: bool = False) -> World:
    """An organization with four people and two environments."""
    organization = store.create_organization(slug, slug.title())
    people = {
        role: store.create_user(
            organization.id, f"{role}@{slug}.example", f"{slug.title()} {role}", "owner" if role == "owner" else "member"
        )
        for role in ("owner", "admin", "member", "outsider")
    }
    environments = []
    for name in ("web", "shop"):
        made = store.create_environment(organization.id, name, people["owner"])
        for role in ("admin", "member"):
            made = store.set_role(organization.id, made, people[role].id, role)
        environments.append(made)
    tokens = {role: keys.issue("tdu", organization.id, person.id, dev=dev)[0] for role, person in people.items()}
    return World(
        id=organization.id,
        slug=slug,
        team_id=organization.team_id,
        org_key=keys.issue("tdo", organization.id, dev=dev)[0],
        users={role: Person(person.id, person.email, tokens[role]) for role, person in people.items()},
        environments=tuple(environments),
    )
