"""What Athena answered goes with whoever is erased: all that can have been asked for before the cut-off, and nothing that is later."""

from __future__ import annotations

import pytest

from tapedeck import objects
from tapedeck.erasure import Subject
from tapedeck.session_replays.lake import answers
from tests.harness import System


def test_answers_go_a_page_at_a_time_and_later_ones_stay(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "BATCH", 2)
    subject = Subject(system.acme.id, 1, "ann", system.now)
    for number in range(5):
        objects.put(f"athena/{number}.csv", b"ann")
        objects.put(f"athenaeum/{number}", b"no answer")
        system.skip(answers.LONGEST / 4)
    system.skip(10)
    objects.put("athena/6.csv", b"bob")
    eraser, after, counts = answers.Answers(), "", 0
    while page := eraser.find(subject, after):
        assert len(page.what) == page.counts["answers"] <= 2
        counts, after = counts + len(page.what), page.after
        eraser.erase(subject, page.what)
    assert counts == 5
    assert eraser.find(subject, "") is None
    assert list(objects.keys_under("athena")) == ["athena/6.csv", *(f"athenaeum/{number}" for number in range(5))]
