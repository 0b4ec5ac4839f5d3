"""What can go wrong, in the language of the domain; `api.dialects` finds the number and the words of a family."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class DomainError(Exception):
    """A refusal that the caller can understand. `detail` is a sentence fit for a client; `causes` say why, inner to outer."""

    def __init__(self, detail: str | None = None, *, causes: Sequence[str] = ()) -> None:
        super().__init__(detail or type(self).__name__)
        self.detail = detail
        self.causes = tuple(causes)


class Invalid(DomainError):
    """What was sent cannot be understood. `fields` maps a field's name to what is wrong with it, or to such a map of its members."""

    def __init__(
        self,
        detail: str | None = None,
        *,
        fields: Mapping[str, Sequence[str] | Mapping[str, Sequence[str]]] | None = None,
        causes: Sequence[str] = (),
    ) -> None:
        super().__init__(detail or "; ".join(f"{name}: {' '.join(said)}" for name, said in (fields or {}).items()), causes=causes)
        self.fields = {name: dict(said) if isinstance(said, Mapping) else list(said) for name, said in (fields or {}).items()}


class Unspecified(Invalid):
    """Nothing was said of what is meant, and that is never taken for everything."""


class Unauthenticated(DomainError):
    """Nobody we know: no credentials, or credentials that are malformed, unknown, expired or revoked."""


class Forbidden(DomainError):
    """Somebody we know, who may not do this."""


class NotFound(DomainError):
    """There is no such thing, or it is another organization's: the two are told apart by nobody."""


class Conflict(DomainError):
    """The thing is in a state that does not allow this."""


class Unsupported(DomainError):
    """The thing is in a state from which this is never done, however long one waits."""


class TooLarge(DomainError):
    """More bytes than we take, on the wire or inflated."""


class Unavailable(DomainError):
    """A store asked us to come back; nothing was changed, or what was changed may be sent again."""
