"""The contract's cases, as far as they are about `query=`: its number, the replay it is about, and what finds it and what does not."""

from __future__ import annotations

import pytest

from tapedeck.errors import Invalid
from tapedeck.session_replays.merging import archive_delta, merge, view_delta
from tapedeck.session_replays.search.document import Document, clicks
from tapedeck.session_replays.search.evaluating import click_matcher, element_matcher, sort_key
from tapedeck.session_replays.search.language import parse
from tests.session_replays.search.worlds import ID, OTHER, START, click, finds, link, replay, segment

A, B, C, D, E = (digit * 32 for digit in "abcde")
DASHED = "01234567-89ab-cdef-0123-456789abcdef"

ALIKE = replay(segment(tags={"a": "m"}), segment(1, tags={"a": "n"}))
APPLE = replay(segment(urls=["apple"]), segment(1, urls=["microsoft"]))
ARCHIVED = replay(segment(scalars={"user.email": "v"}), archive_delta())
CLICKED = replay(
    segment(
        clicks=[
            click(1, 1, rage=True, id="myid", classes="class1 class2", role="button"),
            click(2, 2, tag="button", id="myid", classes="class1 class3"),
        ]
    )
)
ERRORS = replay(
    segment(urls=["u"]), link(A), link(B), link(C), link(D, "warning"), link(E, "info"), link("1" * 32, "info"), link("2" * 32, "warning")
)
KNOWN = replay(
    segment(scalars={"user.email": "v", "user.id": "1", "user.username": "u", "user.ip": "127.0.0.1"}),
    segment(1),
)
ONE_ERROR = replay(segment(), link(A))
TRACED = replay(segment(error_ids=[A], trace_ids=[B, C]), link(E), link(D, "info"), link("1" * 32, "warning"))
UNKNOWN = replay()
USER = replay(segment(scalars={"user.id": "123", "user.email": "me@example.com", "user.username": "user123"}))
WATCHED = replay(segment(), view_delta(7))

FOUND: list[tuple[str, Document, list[str]]] = [
    ("08", replay(segment(urls=["a", "b", "c"]), link(A)), ["activity:4", "count_errors:1", "count_urls:3", "count_screens:>2"]),
    ("11", ERRORS, ["activity:8", "count_infos:2", "count_errors:3", "count_warnings:2"]),
    ("13", USER, ["user.id:123"]),
    ("14", UNKNOWN, [f"id:{DASHED}", f"id:{ID}", f"id:{DASHED.upper()}", f"id:[{OTHER}, {DASHED}]", f"!id:{OTHER}"]),
    (
        "27",
        UNKNOWN,
        [
            *("duration:17s", "duration:17000ms", "duration:17000", "duration:>16s", "duration:<1m", "duration:<1.5min", "duration:<2.25h"),
            *("duration:<3w", "!duration:16s", "duration:[17000, 1000]", "duration:>=17s", "duration:!=16s"),
        ],
    ),
    ("30", ONE_ERROR, ["count_errors:[1,2]", "!count_errors:[2,3]", "count_errors:>=1", "count_errors:<2", "count_errors:1.9"]),
    ("32", USER, ["user.email:*@example.com", "user.username:*3", "user.id:1*3"]),
    ("33", USER, ["user.id:[4000, 123]", "!user.id:[321, 1230]"]),
    ("34", UNKNOWN, ['user.email:""', 'user.ip:""', 'user.id:""', 'user.username:""', "!has:user.email"]),
    ("34", UNKNOWN, ['user.email:["v",""]', 'user.ip:["127.0.0.1",""]', 'user.id:["1",""]', 'user.username:["u", ""]']),
    ("34", KNOWN, ['!user.email:""', '!user.ip:""', '!user.id:""', '!user.username:""', "has:user.email", "has:user"]),
    ("34", KNOWN, ['user.email:["v",""]', 'user.ip:["127.0.0.1",""]', 'user.id:["1",""]', 'user.username:["u",""]']),
    ("36", KNOWN, ["user.ip:127.0.0.1", "user.ip_address:[127.0.0.1,10.0.0.1]", "!user.ip:192.168.0.1"]),
    ("37", TRACED, [f"trace:{B}", f"trace_id:{C}", f"trace_ids:[{B},{OTHER}]", "count_traces:2"]),
    ("38", TRACED, [f"error_id:{E}", f"error_ids:{A}", f"info_id:{D}", f"warning_id:{'1' * 32}", "count_errors:1"]),
    ("39", ALIKE, ["a:m", "a:n", "tags[a]:m", "a:[o,n]", "a:m a:n", "tags[a,string]:n"]),
    ("41", APPLE, ["urls:apple urls:microsoft", "urls:App*", "screens:apple", "screen:apple", "url:apple", "!urls:Google*"]),
    ("42", UNKNOWN, [f"(id:{ID} OR duration:0s) AND (duration:>15s OR platform:nothing)"]),
    ("44", UNKNOWN, [f"id:{OTHER} or id:{ID}", f"id:{ID} and duration:17s", f"id:{ID} OR", f"(id:{ID} And)"]),
    ("45", UNKNOWN, ["is_archived:false", "!is_archived:true", "is_archived:0", "is_archived:FALSE"]),
    ("45", ARCHIVED, ["is_archived:true", "is_archived:1", f"id:{ID}", 'user.email:""', "!user.email:v", "!count_errors:0"]),
    ("46", WATCHED, ["viewed_by_me:true", "seen_by_me:true", "viewed_by_id:7", "seen_by_id:[8,7]", "!viewed_by_id:8"]),
    (
        "48",
        CLICKED,
        [
            *("click.class:class3", "click.tag:button", "click.selector:div#myid.class1.class2", "dead.selector:div#myid"),
            *("rage.selector:div#myid", "click.tag:div click.class:class3", 'click.selector:"[role=button]"', "!click.tag:a"),
            "!click.selector:$#%",
        ],
    ),
    ("52", CLICKED, ["count_dead_clicks:1", "count_rage_clicks:1", "count_dead_clicks:<2"]),
]
LOST: list[tuple[str, Document, list[str]]] = [
    ("27", UNKNOWN, ["duration:>17s", "!duration:17s", "duration:[16000]", "duration:!=17s", "!duration:>=17s"]),
    ("33", USER, ["user.email:[other@x]", "user.id:1230", "user.id:12"]),
    ("34", KNOWN, ['user.email:""', 'user.ip:""', 'user.id:""', 'user.username:""', "!has:user.email", '!user.email:["v",""]']),
    ("34", UNKNOWN, ['!user.email:""', '!user.ip:""', '!user.id:""', '!user.username:""', '!user.email:["v",""]', "has:user.ip"]),
    ("37", TRACED, [f"!trace_id:{B}", f"trace:{A}"]),
    ("38", TRACED, [f"!error_id:[{E}]", f"error_id:{D}", f"info_id:{E}", f"warning_id:{D}"]),
    ("39", ALIKE, ["a:o", "!a:m", "!a:n", "b:m", "!a:[o,n]"]),
    ("41", APPLE, ["urls:app", "urls:Apple", "!urls:apple", "!urls:Micro*"]),
    ("42", UNKNOWN, [f"id:{ID} AND id:{OTHER}", f"id:{OTHER} OR duration:>1000s"]),
    ("45", UNKNOWN, ["is_archived:1", "is_archived:true", "!is_archived:0"]),
    ("45", ARCHIVED, ["is_archived:false", "user.email:v", "count_errors:0", "count_errors:<1", "duration:17s", "count_segments:>0"]),
    ("46", WATCHED, ["viewed_by_me:false", "!viewed_by_id:7", "viewed_by_id:8"]),
    (
        "48",
        CLICKED,
        ["dead.selector:button#myid", "click.selector:div.class1.class3", "rage.selector:button", "click.tag:a", "click.selector:$#%"],
    ),
]


@pytest.mark.parametrize(("case", "document", "queries"), FOUND)
def test_what_finds_it(case: str, document: Document, queries: list[str]) -> None:
    assert [query for query in queries if not finds(query, document, viewer_id=7)] == []


@pytest.mark.parametrize(("case", "document", "queries"), LOST)
def test_what_does_not(case: str, document: Document, queries: list[str]) -> None:
    assert [query for query in queries if finds(query, document, viewer_id=7)] == []


SECONDS = "Replays only supports second-resolution timestamps at this time. Try 'Ns' instead."
PARSE = "This is commonly caused by unmatched parentheses. Enclose any text in double quotes."
ONLY = "Only attribute, class, id, and tag name selectors are supported."
ATTRIBUTES = (
    "Invalid attribute specified. Only alt, aria-label, role, data-testid, data-test-id, data-sentry-component, and title are supported."
)
REFUSED: list[tuple[str, str, str]] = [
    ("28", "duration:a", "duration: Invalid number: a. Expected number then optional k, m, or b suffix (e.g. 500k)."),
    ("28", "duration:1004ms", f"Could not parse value for `duration`. Detail: {SECONDS}"),
    ("28", "duration:7.3s", f"Could not parse value for `duration`. Detail: {SECONDS}"),
    ("28", "duration:1.33min", f"Could not parse value for `duration`. Detail: {SECONDS}"),
    ("§2.3", "duration:[1s,2s]", "duration: Invalid number: 1s. Expected number then optional k, m, or b suffix (e.g. 500k)."),
    ("30", "count_errors:abc", "count_errors: Invalid number: abc. Expected number then optional k, m, or b suffix (e.g. 500k)."),
    ("§2.1", "count_errors:[]", "count_errors: Invalid number: []. Expected number then optional k, m, or b suffix (e.g. 500k)."),
    ("§2.1", "count_errors:[1,,2]", "count_errors: Invalid number: [1,,2]. Expected number then optional k, m, or b suffix (e.g. 500k)."),
    ("§2.1", "count_errors:>", "count_errors: Invalid number: >. Expected number then optional k, m, or b suffix (e.g. 500k)."),
    ("§2.1", "count_errors:1*", "count_errors: Invalid number: 1*. Expected number then optional k, m, or b suffix (e.g. 500k)."),
    ("36", "user.ip:127.256.0.1", "Could not parse value for `user.ip`. Detail: Invalid IPv4"),
    ("36", "user.ip_address:[127.0.0.1,127.256.0.1]", "Could not parse value for `user.ip_address`. Detail: Invalid IPv4"),
    ("§2.3", "user.ip:127.*", "Could not parse value for `user.ip`. Detail: Invalid IPv4"),
    ("14", "id:x", "Could not parse value for `id`. Detail: Failed to parse uuid."),
    ("14", "error_id:>x", "Could not parse value for `error_id`. Detail: Failed to parse uuid."),
    ("46", "viewed_by_id:me", "Could not parse value for `viewed_by_id`. Detail: Failed to parse int."),
    ("46", "!viewed_by_me:true", "Invalid operator specified for `viewed_by_me`"),
    ("46", "!(seen_by_me:true)", "Invalid operator specified for `seen_by_me`"),
    ("46", "viewed_by_me:[true]", "Invalid operator specified for `viewed_by_me`"),
    ("46", "viewed_by_me:potato", "Could not parse value for `viewed_by_me`."),
    ("46", "viewed_by_me:<true", "Could not parse value for `viewed_by_me`."),
    ("46", 'viewed_by_me:""', "Could not parse value for `viewed_by_me`."),
    ("45", "is_archived:maybe", "is_archived: Invalid boolean: maybe. Expected true, 1, false, or 0."),
    ("45", "is_archived:>1", "is_archived: Invalid boolean: >1. Expected true, 1, false, or 0."),
    ("§2.3", "is_archived:[true]", "Invalid operator specified for `is_archived`"),
    ("§2.3", "user.email:[a*, b]", "Invalid operator specified for `user.email`"),
    ("§2.3", "some.tag:[a, *b]", "Invalid operator specified for `some.tag`"),
    ("caps", "a:" + "x*" * 33, "The value of `a` has more than 32 parts between asterisks."),
    ("§2.5", "click.selector:[role=button]", "Invalid operator specified for `click.selector`"),
    ("§2.1", "transaction.duration:>0s", "Invalid operator specified for `transaction.duration`"),
    ("§2.1", "measurements.lcp:<5", "Invalid operator specified for `measurements.lcp`"),
    ("44", "is:archived", '"is:" queries are not supported in this search.'),
    ("44", "user.email:", "Empty string after 'user.email:'"),
    ("44", "tags[a]: b:c", "Empty string after 'tags[a]:'"),
    ("44", "(a:b", f"Parse error at '(a:b' (column 1). {PARSE}"),
    ("44", "a:b c:d) e:f", f"Parse error at ' c:d) e:f' (column 8). {PARSE}"),
    ("44", "a:b ((c:d) e:f", f"Parse error at 'a:b ((c:d)' (column 5). {PARSE}"),
    ("§2.1", 'a:"b', "Invalid quote at '\"b': quotes must enclose text or be escaped."),
    ("§2.1", 'a:b"c"', "Invalid quote at 'b\"c\"': quotes must enclose text or be escaped."),
    ("§2.1", '"b c', "Invalid quote at '\"b': quotes must enclose text or be escaped."),
    ("§2.1", "has:[a]", 'Invalid format for "has" search: was expecting a field or tag name instead'),
    ("§2.1", "!has:a*", 'Invalid format for "has" search: was expecting a field or tag name instead'),
    ("§2.2", "OR a:b", "Condition is missing on the left side of 'OR' operator"),
    ("§2.2", "(and a:b)", "Condition is missing on the left side of 'and' operator"),
    ("§2.2", "a:b OR AND c:d", "Missing condition in between two condition operators: 'OR AND'"),
    ("50", 'click.selector:"div > button"', "Nested selectors are not supported."),
    ("50", "click.selector:a::visited", "Pseudo-elements are not supported."),
    ("50", "dead.selector:a:before", "Pseudo-elements are not supported."),
    ("50", "click.selector:p:active", ONLY),
    ("50", "click.selector:div[xyz=a]", ATTRIBUTES),
    ("50", 'click.selector:"[aria-label^=x]"', "Only the '=' operator is supported."),
]


@pytest.mark.parametrize(("case", "query", "said"), REFUSED)
def test_what_is_refused_and_how(case: str, query: str, said: str) -> None:
    with pytest.raises(Invalid) as refusal:
        finds(query, UNKNOWN, viewer_id=7)
    assert refusal.value.detail == said


def test_15_a_later_segment_without_values_takes_none_away() -> None:
    replay_15 = replay(segment(1, scalars={"user.email": "a@b", "browser.name": "Chrome"}), segment(2), segment())
    assert finds("user.email:a@b browser:Chrome browser.name:chr*", replay_15)


def test_19_every_sort_goes_both_ways() -> None:
    first = replay(segment(started=START, timestamp=START + 5, scalars={"user.email": "a"}), link(A))
    second = replay(segment(started=START + 1, timestamp=START + 9, scalars={"user.email": "b"}), link(A), link(B), project_id=2)
    for sort in ("duration", "finished_at", "count_errors", "user.email", "project_id", "started_at"):
        assert sort_key(sort)(first) < sort_key(sort)(second), sort


def test_54_of_one_replays_clicks_each_is_asked_by_itself_and_every_and_is_an_or() -> None:
    def found(query: str) -> list[int]:
        return [one.node for one in clicks(CLICKED.row) if click_matcher(parse(query))(one)]

    for query in ("click.tag:div click.tag:button", "click.tag:div AND click.tag:button", "(click.tag:div click.tag:button)", ""):
        assert found(query) == [1, 2], query
    assert found("!click.selector:div#myid") == [2]
    assert found("click.selector:$#%") == found("!click.selector:$#%") == []
    assert found("!click.role:*") == found("!has:click.role") == [2]
    assert found("click.class:class3 OR rage.selector:button") == [2]
    assert found("dead.selector:*") == found('click.role:[button,""] click.tag:a')[:1] == [1]
    for query, key in (("abc:123", "abc"), ("click", "message"), ("tags[click.tag]:a", "click.tag"), ("user.id:1", "user.id")):
        with pytest.raises(Invalid, match=f"^Unsupported search field: {key}$"):
            found(query)


def test_59_rows_of_selectors_are_found_by_their_two_counts_alone() -> None:
    row = {"count_dead_clicks": 2, "count_rage_clicks": 1}
    assert element_matcher(parse("count_dead_clicks:>1 !count_rage_clicks:2"))(row)
    assert not element_matcher(parse("count_dead_clicks:1"))(row)
    with pytest.raises(Invalid, match=r"^Unsupported search field: click\.tag$"):
        element_matcher(parse("click.tag:a"))


def test_a_deleted_replay_stays_deleted_whatever_comes_late() -> None:
    late = ARCHIVED._replace(row=merge(ARCHIVED.row, segment(scalars={"user.email": "v"})))
    assert finds("is_archived:true !has:user.email", late)
