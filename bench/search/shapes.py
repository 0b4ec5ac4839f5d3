"""The ten searches that are measured, in our language and in SQL."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bench.search import replays
from tapedeck.session_replays import searching
from tapedeck.session_replays.search import fields
from tapedeck.session_replays.search.document import Document
from tapedeck.session_replays.search.planning import Period
from tapedeck.session_replays.searching import Search


@dataclass(frozen=True)
class Condition:
    """A condition in SQL: on a table of replays, and on a group of segments as Sentry writes it, where a segment that has it suffices."""

    flat: str
    grouped: str = ""

    @property
    def of_group(self) -> str:
        """What HAVING says; numbers are aggregated under the names that the table of replays gives them."""
        return self.grouped or self.flat


def _text(column: str, value: str) -> Condition:
    return Condition(f"{column} = '{value}'", f"countIf({column} = '{value}') > 0")


def _like(column: str, part: str) -> Condition:
    return Condition(f"{column} ILIKE '%{part}%'", f"countIf({column} ILIKE '%{part}%') > 0")


def _any_like(column: str, part: str) -> Condition:
    one = f"arrayExists(it -> it ILIKE '%{part}%', {column})"
    return Condition(one, f"countIf({one}) > 0")


def _tag(key: str, value: str) -> Condition:
    one = f"tag_values[indexOf(tag_keys, '{key}')] = '{value}'"
    return Condition(one, f"countIf({one}) > 0")


def _error(name: str) -> Condition:
    return Condition(f"has(error_ids, toUUID('{name}'))", f"countIf(has(error_ids, toUUID('{name}')) OR error_id = toUUID('{name}')) > 0")


def _not(condition: Condition) -> Condition:
    return Condition(f"NOT ({condition.flat})", f"NOT ({condition.of_group})")


def _or(*conditions: Condition) -> Condition:
    return Condition(f"({' OR '.join(it.flat for it in conditions)})", f"({' OR '.join(it.of_group for it in conditions)})")


@dataclass(frozen=True)
class Shape:
    """A search: as a client asks for it, and the same conditions, joined by AND, in SQL."""

    name: str
    query: str
    conditions: tuple[Condition, ...] = ()
    sort: str = "started_at"  # descending, as all ten are
    offset: int = 0
    limit: int = 10
    days: int = 90

    def find(self) -> list[str]:
        """The ids that our search finds, from the query's text on."""
        period = Period(replays.ORGANIZATION, list(replays.PROJECTS), self.start, replays.NOW)
        wanted = Search(period, matches=searching.matching(self.query or None), order=searching.order(f"-{self.sort}"))
        return [document.replay_id for document in searching.find(wanted, offset=self.offset, limit=self.limit)[0]]

    @property
    def start(self) -> float:
        """When the period begins that is searched; it ends now."""
        return replays.NOW - self.days * replays.DAY

    def flat(self, table: str) -> str:
        """SQL, in ClickHouse's dialect, that finds them in a table of replays."""
        where = [self._period, *(it.flat for it in self.conditions)]
        return f"SELECT id FROM {table} WHERE {' AND '.join(where)} {self._order}"

    def grouped(self, table: str) -> str:
        """SQL that finds them in a table of segments: Sentry's form, one group for each replay."""
        having = ["min(segment_id) = 0", self._period, *(it.of_group for it in self.conditions)]
        # An alias is computed where it is used, and nowhere else.
        return (
            "WITH min(started_ms) AS started_at, max(timestamp) AS finished_at, finished_at - intDiv(started_at, 1000) AS duration,"
            " sum(error_events) AS count_errors, sum(rage_clicks) AS count_rage_clicks"
            f" SELECT id FROM {table} WHERE project_id IN ({', '.join(map(str, replays.PROJECTS))}) AND timestamp >= {int(self.start)}"
            f" AND timestamp < {int(replays.NOW)} GROUP BY project_id, id HAVING {' AND '.join(having)} {self._order}"
        )

    @property
    def _period(self) -> str:
        return f"started_at >= {int(self.start * 1000)} AND started_at < {int(replays.NOW * 1000)}"

    @property
    def _order(self) -> str:
        keys = dict.fromkeys((self.sort, "started_at", "id"))
        return f"ORDER BY {', '.join(f'{key} DESC' for key in keys)} LIMIT {self.limit} OFFSET {self.offset}"


def of(documents: Iterable[Document]) -> list[Shape]:
    """The ten shapes of the design, with an address and an error that one of these replays has."""
    several = list(documents)
    middle = several[len(several) // 2 :]
    email = next(iter(next(it.row["scalars"]["user.email"] for it in middle)))
    error = next(iter(next(it.row["error_ids"] for it in middle if "error_ids" in it.row)))
    safari, ios = _text("browser_name", "Safari"), _text("os_name", "iOS")
    return [
        Shape("Q1 everything, 7 days", "", days=7),
        Shape(
            "Q2 errors > 2, under an hour",
            "count_errors:>2 duration:<1h",
            (Condition("count_errors > 2"), Condition("duration < 3600")),
        ),
        Shape(
            "Q3 browser, system, not staging; from the 100th",
            "browser.name:Chrome os.name:Windows !environment:staging",
            (_text("browser_name", "Chrome"), _text("os_name", "Windows"), _not(_text("environment", "staging"))),
            sort="duration",
            offset=100,
        ),
        Shape(
            "Q4 url:*checkout*, rage; by errors, 50",
            "url:*checkout* count_rage_clicks:>0",
            (_any_like("urls", "checkout"), Condition("count_rage_clicks > 0")),
            sort="count_errors",
            limit=50,
        ),
        Shape("Q5 user.email", f"user.email:{email}", (_text("user_email", email),)),
        Shape("Q6 user.email:*9@example7.com", "user.email:*9@example7.com", (_like("user_email", "9@example7.com"),)),
        Shape("Q7 error_id", f"error_id:{error}", (_error(error),)),
        Shape(
            "Q8 (Safari or iOS), errors, a tag, over a minute",
            "(browser.name:Safari OR os.name:iOS) !count_errors:0 plan:enterprise duration:>60s",
            (_or(safari, ios), Condition("NOT count_errors = 0"), _tag("plan", "enterprise"), Condition("duration > 60")),
            sort="finished_at",
        ),
        Shape(
            "Q9 nothing is so",
            "plan:free count_errors:>999",
            (_tag("plan", "free"), Condition("count_errors > 999")),
            sort="duration",
        ),
        Shape("Q10 url:*product/12*; by duration", "url:*product/12*", (_any_like("urls", "product/12"),), sort="duration"),
    ]


def numbers(document: Document) -> dict[str, int]:
    """A replay's numbers, read by the sorts of our own search: `started_at` in milliseconds, the others that are times in seconds."""
    names = ("started_at", "finished_at", "duration", "count_errors", "count_rage_clicks")
    found: dict[str, int] = {name: fields.sort_of(name).read(document) for name in names}
    return found | {"duration": found["duration"] // 1000}
