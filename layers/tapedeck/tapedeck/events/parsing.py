"""What is sent to a bucket or a collection, read as events: every `data` is a slice of the body, byte for byte.

The whole body is read once by orjson, which alone decides what is JSON, and once by msgspec, which only finds where each `data` begins and
ends. Of a name that an object has twice the last one counts, for both and for every JSON.parse there is.
"""

from __future__ import annotations

from tapedeck.events.model import Event

MAX_REQUEST = 6 * 1024 * 1024  #  bytes
MAX_EVENT = 1024 * 1024  #        bytes of one element, as it was sent
MAX_EVENTS = 10_000
MAX_TEXT = 256  #                 characters of a name, an application, a server, a revision, a user's id
# A clock may be wrong; one that is ahead by more than a day is not a clock.
MAX_AHEAD = 86_400_000


# --- The two ways in (decision 22) --------------------------------------------------------------------------------------------------------


def bucket_records(body: bytes, *, now: float, unique: str) -> list[Event]:
    """One record, an array of records or agent packets: `{event_name|name, app_name, server_name, at, user, user_id, data, process}`.

    `process` is the agent's `{name, server, pm_id, rev}`: app and server when there is no `app_name`, no `server_name`. Without any app it
    is "ingest", without a server "". `now` (s) is the time of events that tell none; ids are made of it, `unique` (see `event_id`) and the
    index. Raises Invalid (`fields` = {"[3].event_name": …}) and TooLarge, naming index and limit.
    """
    raise NotImplementedError


def collected(body: bytes, *, now: float, unique: str) -> list[Event]:
    """One payload or an array of payloads: any JSON at all, and all of it is the event's `data`.

    A payload may say what it is: its name is the first usable text of `event_name`, `name`, `event`, `type`, else "event"; its app that of
    `app_name`, `app`, `service`, `process.name`, else "collect"; its server that of `server_name`, `server`, `host`,
    `process.server`, else "". `at` counts when it is a time. What is no use as one of these is data and nothing else; so Invalid and TooLarge, as in `bucket_records`, are
    only for what is not JSON, too deep, too large, and a user's id that cannot be kept.
    """
    raise NotImplementedError
