"""What an event replay is: what it shall send, how far it is, who is at work on it; and every step it can take (decisions 3 to 7). Pure.

A step is a function from the replay as it is to (the replay as it shall be, what its history is to say of that); `store.change` writes both
in one go, and takes the step again when somebody else was faster. So each step looks whether it has been taken already: taken twice, it
changes nothing. The replay itself, unchanged, is the answer of a step that has nothing to do.

    pending → running ⇄ paused → completed / failed / aborted           `archived` is apart: it hides, and it aborts what is not over
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from tapedeck.errors import Conflict, DomainError

State = Literal["pending", "running", "paused", "completed", "failed", "aborted"]
Type = Literal["single", "continuous"]
EntryType = Literal[
    "created", "started", "progress", "paused", "resumed", "delivery_error", "completed", "failed", "aborted", "archived"
]
OVER: tuple[State, ...] = ("completed", "failed", "aborted")
LEASE = 45.0  # seconds after which a worker that has not moved its replay is taken for dead: more than any one send lasts
PROGRESS = 60.0  # seconds of work between two `progress` entries of a history


class Fenced(DomainError):
    """The replay is another worker's now, or nobody's: whoever held it must not write to it, and send nothing more."""


@dataclass(frozen=True, slots=True)
class Told:
    """How the latest delivery went: the four members that Batch's answers show."""

    status: Literal["ok", "error"]
    message: str
    latency_ms: int
    at: float


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event that was tried `attempts` times in vain and is to be tried again at `at` (seconds)."""

    number: int
    attempts: int
    at: float


@dataclass(frozen=True, slots=True)
class Lent:
    """An event in the hands of a reader that pulls."""

    number: int
    event_id: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a replay is. Every event before `position` is settled: it does not match, was sent, or is listed as failed.

    Beyond it, `ahead` are matching events that are settled too, and `waiting` those that are to be tried again: both are fewer than a
    window. `matched` counts matching events before `position`; `sent` and `failed` all that are settled, so that always

        matched + len(ahead) == sent + failed.

    `failing_since` is the first temporary failure since the destination last answered; `given_up` says that an event was listed as
    failed since then, after all its attempts. Before `hold_until` nothing is sent: the destination asked for it.
    """

    position: int
    looked_at: int = 0
    matched: int = 0
    sent: int = 0
    failed: int = 0
    ahead: Sequence[int] = ()
    waiting: Sequence[Waiting] = ()
    failing_since: float | None = None
    given_up: bool = False
    hold_until: float = 0.0

    @property
    def found(self) -> int:
        """How many matching events have been looked at so far."""
        return self.matched + len(self.ahead) + len(self.waiting)

    @property
    def resumes_at(self) -> float:
        """When there is something to send again (seconds; 0: at once): an event that waits holds up those behind it."""
        return max(self.hold_until, min((each.at for each in self.waiting), default=0.0))


@dataclass(frozen=True, slots=True)
class Replay:
    """A replay: matching events of a collection, from the first on, in receive order, to a destination.

    `until` is the number at which it ends; None is never. `owner` is the worker (or the reader that pulls) that may move it until
    `leased_until`; `mark` counts that worker's checkpoints. `toggled_by` is the request that paused or resumed it last. `pulled` tells
    that its destination fetches by itself; then `lent` are the events it has, and `reach` how far they were looked for. `entries`
    counts what its history says. `idle`: a continuous one that has seen everything there is.
    """

    organization_id: int
    id: str
    name: str
    notes: str
    type: Type
    query: str
    collection_id: str
    env_id: int
    destination_id: str
    concurrency: int
    created_at: float
    updated_at: float
    progress: Progress
    until: int | None
    author_id: int | None = None
    redo_of: str | None = None
    pulled: bool = False
    state: State = "pending"
    archived: bool = False
    told: Told | None = None
    busy: float = 0.0  # seconds that workers have spent on it
    owner: str | None = None
    leased_until: float = 0.0
    mark: int = 0
    left_by: str | None = None  # the last owner that let go
    toggled_by: str | None = None
    lent: Sequence[Lent] = ()
    reach: int = 0
    idle: bool = False
    noted_at: float = 0.0  # when its history was last written to
    notice_at: float | None = None  # a notice that it is over is owed since then, or to be tried again then
    notices: int = 0  # attempts at that
    entries: int = 0
    version: int = 0

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to send."""
        return self.state in OVER

    def is_held(self, now: float) -> bool:
        """Whether somebody is at work on it."""
        return self.owner is not None and self.leased_until > now


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a replay's history: what happened, and how far the replay was. Never a payload, never anybody's name."""

    type: EntryType
    at: float
    matched: int
    sent: int
    failed: int
    status: str = "ok"
    message: str = ""
    latency_ms: int = 0
    event_id: str | None = None


Step = Callable[[Replay], tuple[Replay, Sequence[Entry]]]


@dataclass(frozen=True, slots=True)
class Failure:
    """An event that was given up, and why."""

    event_id: str
    message: str
    latency_ms: int
    at: float


@dataclass(frozen=True, slots=True)
class Ending:
    """How a worker leaves a replay: over (`state`), or to be carried on by whoever is rung for next."""

    state: Literal["completed", "failed", "aborted"] | None = None
    message: str = ""
    idle: bool = False


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a worker has to say of its replay: its `mark`-th word under this lease. With an `ending` it is the last."""

    owner: str
    mark: int
    progress: Progress
    told: Told | None = None
    failures: Sequence[Failure] = ()
    worked: float = 0.0  # seconds since the last one
    ending: Ending | None = None


# ------------------------------------------------------------------------------------------------------------ workers


def acquired(replay: Replay, owner: str, now: float) -> tuple[Replay, Sequence[Entry]]:
    """A worker takes the replay. Raises Fenced when it is not to be worked on now: over, paused, or in other hands."""
    if replay.owner == owner:
        return replay, ()
    if replay.is_over or replay.archived or replay.state == "paused" or replay.is_held(now):
        raise Fenced
    taken = replace(replay, state="running", owner=owner, leased_until=now + LEASE, mark=0, idle=False, lent=(), reach=0)
    return taken, [_entry(taken, "started", now)] if replay.state == "pending" else ()


def checkpointed(replay: Replay, said: Checkpoint, now: float) -> tuple[Replay, Sequence[Entry]]:
    """How far the worker is, under its lease alone: Fenced for anybody else. An ending lets go, whatever has been decided meanwhile."""
    if said.ending and replay.left_by == said.owner:
        return replay, ()
    if replay.owner != said.owner:
        raise Fenced
    if said.mark <= replay.mark:
        return replay, ()
    moved = replace(
        replay,
        progress=said.progress,
        told=said.told or replay.told,
        busy=replay.busy + said.worked,
        mark=said.mark,
        leased_until=now + LEASE,
    )
    entries = [_failure(moved, each) for each in said.failures]
    if now - replay.noted_at >= PROGRESS and said.progress.found > replay.progress.found:
        entries.append(_entry(moved, "progress", now))
    if said.ending is None:
        return moved, entries
    return _left(moved, said.ending, entries, now)


def _left(replay: Replay, ending: Ending, entries: list[Entry], now: float) -> tuple[Replay, Sequence[Entry]]:
    """Without its worker; over when the worker says so, unless it was paused or ended while the worker was at it."""
    free = replace(replay, owner=None, leased_until=0.0, left_by=replay.owner, lent=(), reach=0, idle=ending.idle)
    if ending.state is None or free.state != "running":
        return (_over(free, free.notice_at) if free.is_over else free), entries
    over = _over(replace(free, state=ending.state), now)
    return over, [*entries, _entry(over, ending.state, now, message=ending.message)]


def noticed(replay: Replay, attempts: int, again_at: float | None) -> tuple[Replay, Sequence[Entry]]:
    """Whoever wanted to know has been told that the replay is over; or is to be told again at `again_at`."""
    if replay.notices >= attempts:
        return replay, ()
    return replace(replay, notices=attempts, notice_at=again_at), ()


# ------------------------------------------------------------------------------------------------------------ readers that pull


@dataclass(frozen=True, slots=True)
class Hand:
    """What a reader that pulls is given: under which lease, which events, and up to which number they were looked for."""

    lease: str
    events: Sequence[Lent]
    reach: int


def lent(replay: Replay, version: int, hand: Hand, now: float) -> tuple[Replay, Sequence[Entry]]:
    """Events go out to a reader. Fenced when the replay has moved since it was looked at, in its `version`, or is not to be read from."""
    if replay.owner == hand.lease:
        return replay, ()
    taken, entries = acquired(replay, hand.lease, now)
    if replay.version != version:
        raise Fenced
    return replace(taken, lent=hand.events, reach=hand.reach), entries


def acknowledged(
    replay: Replay, version: int, said: Checkpoint, left: Sequence[Lent], now: float
) -> tuple[Replay, Sequence[Entry]]:
    """A reader has told what became of events; those that are `left` it still has. Fenced like `lent`."""
    if replay.owner == said.owner and said.mark > replay.mark and replay.version != version:
        raise Fenced
    moved, entries = checkpointed(replay, said, now)
    return (moved, entries) if said.ending or moved is replay else (replace(moved, lent=left), entries)


# ------------------------------------------------------------------------------------------------------------ people


def toggled(replay: Replay, request: str, now: float) -> tuple[Replay, Sequence[Entry]]:
    """Paused, or running again: by a request's name once, however often it is repeated (decision 4). Conflict in any other state."""
    if replay.toggled_by == request:
        return replay, ()
    if replay.archived or replay.state not in ("running", "paused"):
        raise Conflict(f"The replay is {'archived' if replay.archived else replay.state}: only a running or paused one can be toggled.")
    if replay.state == "running":
        paused = replace(replay, state="paused", toggled_by=request)
        return paused, [_entry(paused, "paused", now)]
    resumed = replace(replay, state="running", toggled_by=request, idle=False)
    return resumed, [_entry(resumed, "resumed", now)]


@dataclass(frozen=True, slots=True)
class Edit:
    """What is to be changed; None is nothing. `pulled` goes with `destination_id`."""

    name: str | None = None
    notes: str | None = None
    query: str | None = None
    destination_id: str | None = None
    pulled: bool = False

    @property
    def redirects(self) -> bool:
        """Whether it changes what is sent, or where."""
        return self.query is not None or self.destination_id is not None


def edited(replay: Replay, edit: Edit) -> tuple[Replay, Sequence[Entry]]:
    """Name and notes at any time, query and destination only while it is pending or paused (decision 6). Conflict else."""
    moved = replay
    if edit.redirects:
        if replay.archived or replay.state not in ("pending", "paused"):
            raise Conflict("The query and the destination of a replay can be changed while it is pending or paused.")
        progress = replace(replay.progress, waiting=[replace(each, attempts=0, at=0.0) for each in replay.progress.waiting])
        moved = replace(replay, query=edit.query if edit.query is not None else replay.query)
        if edit.destination_id not in (None, replay.destination_id):
            fresh = replace(progress, failing_since=None, given_up=False, hold_until=0.0)
            moved = replace(moved, destination_id=edit.destination_id, pulled=edit.pulled, progress=fresh)
    name, notes = (moved.name if edit.name is None else edit.name), (moved.notes if edit.notes is None else edit.notes)
    moved = replace(moved, name=name, notes=notes)
    return (replay, ()) if moved == replay else (moved, ())


def archived(replay: Replay, now: float) -> tuple[Replay, Sequence[Entry]]:
    """Hidden, and aborted unless it was over. A worker that holds it finds out at its next checkpoint, and still counts what it sent."""
    if replay.archived:
        return replay, ()
    if replay.is_over:
        hidden = replace(replay, archived=True)
        return hidden, [_entry(hidden, "archived", now)]
    ended = _over(replace(replay, archived=True, state="aborted"), now)
    return ended, [_entry(ended, "aborted", now), _entry(ended, "archived", now)]


def doomed(replay: Replay) -> tuple[Replay, Sequence[Entry]]:
    """About to be deleted: nobody may write to it any more."""
    if replay.archived and replay.is_over and replay.owner is None and replay.notice_at is None:
        return replay, ()
    state = replay.state if replay.is_over else "aborted"
    return replace(replay, state=state, archived=True, owner=None, leased_until=0.0, idle=False, notice_at=None), ()


def _over(replay: Replay, notice_at: float | None) -> Replay:
    """Nothing is tried again; a notice is owed."""
    return replace(replay, notice_at=notice_at, idle=False, progress=replace(replay.progress, waiting=()))


def _entry(replay: Replay, kind: EntryType, now: float, *, message: str = "") -> Entry:
    told = replay.told
    progress = replay.progress
    status = "error" if kind in ("failed", "aborted") and message else told.status if told else "pending"
    said = message or (told.message if told else "")
    return Entry(kind, now, progress.found, progress.sent, progress.failed, status, said, told.latency_ms if told else 0)


def _failure(replay: Replay, failure: Failure) -> Entry:
    progress = replay.progress
    return Entry(
        "delivery_error",
        failure.at,
        progress.found,
        progress.sent,
        progress.failed,
        "error",
        failure.message,
        failure.latency_ms,
        failure.event_id,
    )
