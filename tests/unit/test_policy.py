# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a session goes or stays, and why: the rules that must not be wrong."""

import fnmatch
import re
import time
from typing import Any, Dict, Iterator, List, Optional

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils import _policy as policy
from ansible_collections.fleet.tmux.plugins.module_utils._model import Session
from ansible_collections.fleet.tmux.plugins.module_utils._policy import Facts, Policy, PolicyError
from ansible_collections.fleet.tmux.tests.unit.make import NOW, pane, session, window
from hypothesis import given
from hypothesis import strategies as st

ALL = ("attached", "busy", "keep", "running")
UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def rules(**more: Any) -> Policy:
    made = Policy(idle=100, older_than=None, finished=False, activity="any", protect=ALL)
    return made._replace(**more)


def params(**more: Any) -> Dict[str, Any]:
    made: Dict[str, Any] = {
        "idle": "1d",
        "older_than": None,
        "finished": False,
        "activity": "any",
        "protect": list(ALL),
    }
    made.update(patterns=[], excludes=[], planned=None, use_regex=False)
    made.update(more)
    return made


def judged(it: Session, by: Policy, facts: Optional[Facts] = None, now: int = NOW) -> policy.Verdict:
    return policy.judge(it, by, now, facts or Facts())


# --- durations


@given(st.integers(0, 10**9), st.sampled_from(sorted(UNITS)), st.booleans())
def test_durations_are_numbers_with_a_unit(number: int, unit: str, upper: bool) -> None:
    text = "%d%s" % (number, unit.upper() if upper else unit)
    assert policy.duration("idle", text) == number * UNITS[unit]


@pytest.mark.parametrize(
    "text", ["", " ", "-1", "-1d", "+1", "1.5h", "1 d", "d", "1y", "1dd", "1d2h", "٣", "1e3", "0x1", "1_0"]
)
def test_what_is_no_duration_is_refused_by_name(text: str) -> None:
    with pytest.raises(PolicyError, match=r"^older_than: "):
        policy.duration("older_than", text)


@given(st.text(max_size=6))
def test_a_duration_is_understood_as_find_does_or_refused(text: str) -> None:
    fits = re.match(r"^[0-9]+[smhdw]?$", text.strip().lower())
    try:
        assert policy.duration("idle", text) is not None
        assert fits
    except PolicyError:
        assert not fits


def test_no_duration_is_none() -> None:
    assert policy.duration("idle", None) is None
    assert policy.duration("idle", "0") == 0


# --- patterns

NAME = st.text(st.sampled_from(list("ab-1[]*?.\n ")), max_size=6)


@given(NAME)
def test_a_name_matches_itself_in_full_only(name: str) -> None:
    by_regex = policy.matcher("patterns", [re.escape(name)], True)
    assert by_regex(name)
    assert not by_regex(name + "x") and not by_regex("x" + name) and not by_regex(name + "\n")


@given(NAME, st.lists(NAME, max_size=3))
def test_shell_patterns_are_those_of_fnmatch(name: str, patterns: List[str]) -> None:
    expected = any(fnmatch.fnmatchcase(name, each) for each in patterns)
    assert policy.matcher("patterns", patterns, False)(name) is expected


@pytest.mark.parametrize(
    "patterns, use_regex, name, expected",
    [
        (["build"], False, "build-2", False),
        (["build"], False, "Build", False),
        (["build*"], False, "build-2", True),
        (["build"], True, "build-2", False),
        (["build"], True, "my-build", False),
        (["a|b"], True, "ab", False),
        (["a|ab"], True, "ab", True),
        (["build.*"], True, "build\n2", True),
        (["^build$"], True, "build\n", False),
    ],
)
def test_examples_of_patterns(patterns: List[str], use_regex: bool, name: str, expected: bool) -> None:
    assert policy.matcher("patterns", patterns, use_regex)(name) is expected


def test_a_broken_expression_is_refused_by_name() -> None:
    with pytest.raises(PolicyError, match=r"^excludes: "):
        policy.policy(params(excludes=["("], use_regex=True))


@given(NAME, st.lists(NAME, max_size=3), st.lists(NAME, max_size=3))
def test_excludes_win_and_no_pattern_is_every_name(name: str, patterns: List[str], excludes: List[str]) -> None:
    made = policy.policy(params(patterns=patterns, excludes=excludes))
    wanted = not patterns or any(fnmatch.fnmatchcase(name, each) for each in patterns)
    unwanted = any(fnmatch.fnmatchcase(name, each) for each in excludes)
    assert made.looks_at(name) is (wanted and not unwanted)


def test_options_become_the_policy() -> None:
    made = policy.policy(params(idle="2h", older_than="1w", finished=True, activity="output", protect=["keep"]))
    assert (made.idle, made.older_than, made.finished, made.activity) == (7200, 604800, True, "output")
    assert made.protect == ("keep",)


def test_without_a_criterion_nothing_may_be_removed() -> None:
    with pytest.raises(PolicyError, match="idle, older_than and finished"):
        policy.policy(params(idle=None))
    assert policy.policy(params(idle=None, finished=True)).finished
    assert policy.policy(params(idle="0")).idle == 0


# --- clocks

CLOCK = st.integers(NOW - 5000, NOW)
SESSIONS = st.builds(
    lambda created, activity, last, seen, outputs: session(
        "work",
        *[window(pane(), activity=output) for output in outputs],
        created=created,
        activity=activity,
        last_attached=last,
        client_activity=seen,
    ),
    CLOCK,
    CLOCK,
    st.one_of(st.none(), CLOCK),
    st.one_of(st.just(0), CLOCK),
    st.lists(CLOCK, min_size=1, max_size=3),
)


@given(SESSIONS)
def test_the_newest_clock_counts(it: Session) -> None:
    inputs = [it.activity, it.last_attached or 0, it.client_activity]
    outputs = [each.activity for each in it.windows]
    assert policy.last_activity(it, "any") == max([it.created] + inputs + outputs)
    assert policy.last_activity(it, "input") == max([it.created] + inputs)
    assert policy.last_activity(it, "output") == max([it.created] + outputs)
    assert policy.idle_seconds(it, "any", NOW) == NOW - policy.last_activity(it, "any")


def test_a_detached_session_that_prints_is_not_idle() -> None:
    printing = session("build", window(activity=NOW - 500), window(activity=NOW - 2))
    assert judged(printing, rules()).reason == "active"
    assert not judged(printing, rules(activity="output")).remove
    assert judged(printing, rules(activity="input")).remove


@given(SESSIONS, st.integers(0, 6000), st.sampled_from(policy.ACTIVITIES))
def test_idle_is_exact(it: Session, limit: int, activity: str) -> None:
    verdict = judged(it, rules(idle=limit, activity=activity))
    assert verdict.remove is (NOW - policy.last_activity(it, activity) >= limit)
    assert verdict.reason == ("idle" if verdict.remove else "active")


@given(SESSIONS, st.integers(0, 6000))
def test_age_is_exact(it: Session, limit: int) -> None:
    verdict = judged(it, rules(idle=None, older_than=limit))
    assert verdict.remove is (NOW - it.created >= limit)
    assert verdict.reason == ("older_than" if verdict.remove else "young")


@given(SESSIONS, st.integers(0, 6000), st.integers(0, 6000))
def test_idle_and_age_must_both_be_reached(it: Session, idle: int, age: int) -> None:
    both = judged(it, rules(idle=idle, older_than=age)).remove
    assert both is (judged(it, rules(idle=idle)).remove and judged(it, rules(idle=None, older_than=age)).remove)


@pytest.mark.parametrize("field", ["created", "activity", "last_attached", "client_activity"])
@pytest.mark.parametrize("activity", policy.ACTIVITIES)
def test_a_clock_in_the_future_keeps(field: str, activity: str) -> None:
    by = rules(idle=0, activity=activity, protect=(), finished=True)
    ahead = session("odd")._replace(**{field: NOW + 60})  # type: ignore[arg-type]
    assert judged(ahead, by) == policy.Verdict("keep", "unknown", "a clock of the session is 60 s in the future")
    at_once = session("odd")._replace(**{field: NOW + 1})  # type: ignore[arg-type]
    assert judged(at_once, by).remove, "a second is how exact the clocks are"


def test_a_window_in_the_future_keeps_whatever_counts() -> None:
    ahead = session("odd", window(activity=NOW + 60))
    for activity in policy.ACTIVITIES:
        assert judged(ahead, rules(idle=0, activity=activity, protect=())).reason == "unknown"


# --- @keep


@pytest.fixture(params=["UTC", "America/New_York", "Pacific/Kiritimati"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("value", ["on", "ON", "yes", "true", "1", " on "])
def test_keep_on_keeps(value: str) -> None:
    assert policy.keeps(value, NOW)[0]
    assert judged(session(keep=value), rules()).reason == "keep"


@pytest.mark.parametrize("value", ["", "off", "OFF", "no", "false", "0", "  "])
def test_keep_off_does_not(value: str) -> None:
    assert policy.keeps(value, NOW) == (False, "")
    assert judged(session(keep=value), rules()).remove


@pytest.mark.parametrize("value", ["please", "2026-13-01", "2026-02-30", "24.12.2026", "tomorrow", "9999-12-31", "-"])
def test_what_nobody_understands_keeps(value: str) -> None:
    assert policy.keeps(value, NOW)[0]


@given(st.text(max_size=12))
def test_only_what_is_off_or_past_does_not_keep(value: str) -> None:
    kept, said = policy.keeps(value, NOW)
    if not kept:
        assert value.strip().lower() in ("", "off", "no", "false", "0") or "expired" in said
    else:
        assert said


def test_a_date_keeps_to_its_end(zone: str) -> None:
    for day in ((2026, 3, 8), (2026, 11, 1), (2026, 12, 31), (2028, 2, 29)):  # with changes of the clocks
        text = "%04d-%02d-%02d" % day
        begin = int(time.mktime(day + (0, 0, 0, 0, 0, -1)))
        last = int(time.mktime(day + (23, 59, 59, 0, 0, -1)))
        assert policy.keeps(text, begin - 86400 * 300) == (True, "@keep until " + text)
        assert policy.keeps(text, last)[0]
        assert policy.keeps(text, last + 1) == (False, "@keep has expired on " + text)


# --- precedence

LIVE = Facts("make")
HIDDEN = Facts(None, False)


@pytest.mark.parametrize(
    "more, facts, reason",
    [
        ({"attached": 1, "keep": "on"}, LIVE, "attached"),
        ({"keep": "on"}, LIVE, "keep"),
        ({}, LIVE, "running"),
        ({}, HIDDEN, "unknown"),
        ({}, Facts(), "idle"),
    ],
)
def test_the_first_protection_is_the_reason(more: Dict[str, Any], facts: Facts, reason: str) -> None:
    assert judged(session(**more), rules(), facts).reason == reason


@given(st.sets(st.sampled_from(ALL)), st.booleans(), st.booleans(), st.booleans(), st.booleans())
def test_a_protection_counts_only_when_it_is_asked_for(
    protect: "set[str]", attached: bool, keep: bool, running: bool, known: bool
) -> None:
    it = session(attached=int(attached), keep="on" if keep else "")
    facts = Facts("make" if running else None, known)
    verdict = judged(it, rules(protect=tuple(sorted(protect))), facts)
    protected = (
        ("attached" in protect and attached)
        or ("keep" in protect and keep)
        or ("running" in protect and (running or not known))
    )
    assert verdict.remove is not protected


def test_protections_hold_for_every_criterion() -> None:
    dead = session("x", window(pane(dead=True)), attached=1)
    for by in (rules(idle=0), rules(idle=None, older_than=0), rules(idle=None, finished=True)):
        assert judged(dead, by).reason == "attached"


def test_finished_is_when_every_pane_is_dead() -> None:
    done = session("x", window(pane(dead=True, status=3)), window(pane(dead=True, signal="9")), window(pane(dead=True)))
    by = rules(idle=None, finished=True)
    verdict = judged(done, by)
    assert (verdict.remove, verdict.reason) == (True, "finished")
    assert verdict.detail == "all its panes are dead (exit status 3, no exit status, signal 9)"
    half = session("x", window(pane(dead=True), pane()))
    assert judged(half, by) == policy.Verdict("keep", "unfinished", "not all its panes are dead")
    assert judged(done, rules(idle=10**6, finished=True)).remove, "what is finished need not be idle"
    assert not judged(half, rules(idle=10**6, finished=True)).remove
    assert judged(done, rules(idle=10**6)).reason == "active", "and who did not ask for finished does not get it"


# --- words


@pytest.mark.parametrize(
    "seconds, text",
    [
        (0, "0s"),
        (59, "59s"),
        (60, "1m"),
        (3661, "1h 1m"),
        (86400 + 5, "1d 5s"),
        (10 * 86400, "1w 3d"),
        (90061, "1d 1h"),
    ],
)
def test_durations_are_spoken(seconds: int, text: str) -> None:
    assert policy.spoken(seconds) == text


def test_the_evidence_is_what_was_seen() -> None:
    it = session(
        "x", window(pane(dead=True), pane(), activity=NOW - 7), window(activity=NOW - 9), keep="on", attached=2
    )
    assert policy.evidence(it) == {
        "created": NOW - 1000,
        "input": NOW - 1000,
        "last_attached": None,
        "output": NOW - 7,
        "attached": 2,
        "keep": "on",
        "windows": 2,
        "panes": 3,
        "dead_panes": 1,
    }
    assert policy.evidence(session(client_activity=NOW))["input"] == NOW


def test_a_pattern_made_to_take_for_ever_meets_short_names_only() -> None:
    seen: List[str] = []

    def note(name: str) -> bool:
        seen.append(name)
        return False

    rules(patterns=note, excludes=note).looks_at("x" * 10**6)
    assert {len(name) for name in seen} == {policy.NAME_LIMIT}
