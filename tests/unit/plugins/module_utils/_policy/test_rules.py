# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a session goes or stays, and why: the rules that must not be wrong."""

import fnmatch
import re
from typing import Any, Dict, List, Tuple

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Process
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import spoken
from ansible_collections.fleet.tmux.plugins.module_utils._modules.prune_options import policy as prune_policy
from ansible_collections.fleet.tmux.plugins.module_utils._policy import rules as policy
from ansible_collections.fleet.tmux.plugins.module_utils._policy.clocks import (
    CLOCK_WORDS,
    evidence,
    idle_seconds,
    last_activity,
)
from ansible_collections.fleet.tmux.plugins.module_utils._policy.decisions import Decision, Work
from ansible_collections.fleet.tmux.plugins.module_utils._policy.errors import OptionError
from ansible_collections.fleet.tmux.plugins.module_utils._policy.patterns import NAME_LIMIT, matcher
from ansible_collections.fleet.tmux.plugins.module_utils._policy.protections import PROTECTIONS
from ansible_collections.fleet.tmux.plugins.module_utils._policy.reasons import reasons
from ansible_collections.fleet.tmux.plugins.module_utils._policy.rules import Policy
from ansible_collections.fleet.tmux.plugins.module_utils._policy.values import PRUNE, checked
from ansible_collections.fleet.tmux.plugins.module_utils._signs.shells import is_shell
from ansible_collections.fleet.tmux.plugins.module_utils._signs.sign import CLOCK as CLOCK_SIGN
from ansible_collections.fleet.tmux.plugins.module_utils._signs.sign import KINDS as SIGN_KINDS
from ansible_collections.fleet.tmux.plugins.module_utils._signs.sign import Sign
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.fields import CLOCKS, Field
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import WHOLE, WITHOUT_OUTPUT, Session
from ansible_collections.fleet.tmux.tests.support.sessions import NOW, clock_at, pane, session, subject, window
from hypothesis import given
from hypothesis import strategies as st

ALL = ("attached", "busy", "keep", "running")


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
    made.update(patterns=[], excludes=[], planned=None, planned_marks=None, use_regex=False, notice=None)
    made.update(ignore_commands=["default"], protect_commands=[], protect_for=None, attached_idle=None)
    made.update(never_attached=None, where=None, keep_newest=None)
    made.update(snapshot_dir=None, snapshot_keep=None, snapshot_colors=False, allow_no_snapshot=False)
    made.update(more)
    return made


def policy_of(given: Dict[str, Any]) -> Policy:
    return prune_policy(checked(given, PRUNE))


SHELL = Process(4711, 1, 4711, "S", 5, 0, 0, "-bash")
"""What the pane of a session of these tests runs."""


def judged(it: Session, by: Policy, *processes: Process) -> Decision:
    runs = [each.command for each in processes if each.pid not in it.pids or not is_shell(each.command)]
    return policy.judge(subject(it, *processes, runs=tuple(runs)), by, NOW)


# --- patterns

NAME = st.text(st.sampled_from(list("ab-1[]*?.\n ")), max_size=6)


@given(NAME)
def test_a_name_matches_itself_in_full_only(name: str) -> None:
    by_regex = matcher("patterns", [re.escape(name)], True)
    assert by_regex(name)
    assert not by_regex(name + "x") and not by_regex("x" + name) and not by_regex(name + "\n")


@given(NAME, st.lists(NAME, max_size=3))
def test_shell_patterns_are_those_of_fnmatch(name: str, patterns: List[str]) -> None:
    expected = any(fnmatch.fnmatchcase(name, each) for each in patterns)
    assert matcher("patterns", patterns, False)(name) is expected


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
    assert matcher("patterns", patterns, use_regex)(name) is expected


def test_a_broken_expression_is_refused_by_name() -> None:
    with pytest.raises(OptionError, match=r"^excludes: "):
        policy_of(params(excludes=["("], use_regex=True))


PATTERNS = st.lists(NAME, max_size=3).filter(lambda patterns: not any(each[:1].isspace() for each in patterns[1:]))
"""As a list of them may be: one that begins with a blank comes first, see ``test_values``."""


@given(NAME, PATTERNS, PATTERNS)
def test_excludes_win_and_no_pattern_is_every_name(name: str, patterns: List[str], excludes: List[str]) -> None:
    made = policy_of(params(patterns=patterns, excludes=excludes))
    wanted = not patterns or any(fnmatch.fnmatchcase(name, each) for each in patterns)
    unwanted = any(fnmatch.fnmatchcase(name, each) for each in excludes)
    assert made.looks_at(name) is (wanted and not unwanted)


def test_options_become_the_policy() -> None:
    made = policy_of(params(idle="2h", older_than="1w", finished=True, activity="output", protect=["keep"]))
    assert (made.idle, made.older_than, made.finished, made.activity) == (7200, 604800, True, "output")
    assert made.protect == ("keep",)
    assert made.ignore is not None and made.ignore("top") and not made.ignore("make")
    assert (made.protect_commands, made.protect_for) == (None, {})
    more = policy_of(
        params(protect_commands=["ma?e"], ignore_commands=[], protect_for={"stopped": "4w", "unsaved": None})
    )
    assert more.protect_commands is not None and more.protect_commands("make") and not more.protect_commands("top")
    assert (more.ignore, more.protect_for) == (None, {"stopped": 2419200})
    assert (made.attached_idle, policy_of(params(attached_idle="1h")).attached_idle) == (None, 3600)


def test_without_a_criterion_nothing_may_be_removed() -> None:
    with pytest.raises(OptionError, match="idle, older_than, never_attached and finished"):
        policy_of(params(idle=None))
    assert policy_of(params(idle=None, finished=True)).finished


# --- clocks

CLOCK = st.integers(NOW - 5000, NOW)
SESSIONS = st.builds(
    lambda created, activity, last, seen, outputs: session(
        "work",
        *[window(pane(), window_activity=output) for output in outputs],
        session_created=created,
        session_activity=activity,
        session_last_attached=last,
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
    names = ["session_activity", "session_last_attached", "client_activity"]
    inputs = [it.clocks[name] or 0 for name in names]
    outputs = [each.clocks["window_activity"] or 0 for each in it.windows]
    assert last_activity(it, "any") == max([it.created] + inputs + outputs)
    assert last_activity(it, "input") == max([it.created] + inputs)
    assert last_activity(it, "output") == max([it.created] + outputs)
    assert idle_seconds(it, "any", NOW) == NOW - last_activity(it, "any")


def test_a_detached_session_that_prints_is_not_idle() -> None:
    printing = session("build", window(window_activity=NOW - 500), window(window_activity=NOW - 2))
    assert judged(printing, rules()).reason == "active"
    assert not judged(printing, rules(activity="output")).remove
    assert judged(printing, rules(activity="input")).remove


@given(SESSIONS, st.integers(0, 6000), st.sampled_from(policy.ACTIVITIES))
def test_idle_is_exact(it: Session, limit: int, activity: str) -> None:
    verdict = judged(it, rules(idle=limit, activity=activity))
    assert verdict.remove is (NOW - last_activity(it, activity) >= limit)
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


@given(SESSIONS, st.integers(0, 6000))
def test_never_attached_is_exact(it: Session, limit: int) -> None:
    verdict = judged(it, rules(idle=None, never_attached=limit))
    old, never = NOW - it.created >= limit, it.clocks["session_last_attached"] is None
    assert verdict.remove is (old and never)
    assert verdict.reason == ("young" if not old else "never_attached" if never else "used")
    assert not judged(it._replace(attached=1), rules(idle=None, never_attached=0, protect=())).remove


@given(SESSIONS, *[st.none() | st.integers(0, 6000)] * 3)
def test_all_that_are_given_must_hold(it: Session, idle: int, old: int, never: int) -> None:
    asked = {"idle": idle, "older_than": old, "never_attached": never}
    given_ = {word: seconds for word, seconds in asked.items() if seconds is not None}
    alone = [judged(it, rules(**dict(dict.fromkeys(asked), **{word: given_[word]}))).remove for word in given_]
    assert judged(it, rules(**asked)).remove is (bool(alone) and all(alone))


@pytest.mark.parametrize("clock", CLOCKS, ids=lambda clock: str(clock.name))
@pytest.mark.parametrize("activity", policy.ACTIVITIES)
def test_a_clock_in_the_future_keeps(clock: Field, activity: str) -> None:
    by = rules(idle=0, activity=activity, protect=(), finished=True)
    ahead = clock_at(clock, NOW + 60)
    assert judged(ahead, by)[1:3] == ("keep", "unknown")
    assert judged(ahead, by).detail == "a clock of the session is 60 s in the future"
    at_once = clock_at(clock, NOW + 1)
    assert judged(at_once, by).remove, "a second is how exact the clocks are"


def test_a_window_in_the_future_keeps_whatever_counts() -> None:
    ahead = session("odd", window(window_activity=NOW + 60))
    for activity in policy.ACTIVITIES:
        assert judged(ahead, rules(idle=0, activity=activity, protect=())).reason == "unknown"


# --- precedence

LIVE = (SHELL, SHELL._replace(pid=4712, ppid=4711, command="make"))
HIDDEN = (SHELL._replace(pid=4713),)
"""The process of the pane is not among those that could be seen."""


@pytest.mark.parametrize(
    "more, processes, reason",
    [
        ({"attached": 1, "keep": "on"}, LIVE, "attached"),
        ({"keep": "on"}, LIVE, "keep"),
        ({}, LIVE, "running"),
        ({}, HIDDEN, "unknown"),
        ({}, (SHELL,), "idle"),
    ],
)
def test_the_first_protection_is_the_reason(more: Dict[str, Any], processes: Tuple[Process, ...], reason: str) -> None:
    assert judged(session(**more), rules(), *processes).reason == reason


@given(st.sets(st.sampled_from(ALL)), st.booleans(), st.booleans(), st.booleans(), st.booleans())
def test_a_protection_counts_only_when_it_is_asked_for(
    protect: "set[str]", attached: bool, keep: bool, running: bool, known: bool
) -> None:
    it = session(attached=int(attached), keep="on" if keep else "")
    processes = (LIVE if running else (SHELL,)) if known else HIDDEN
    verdict = judged(it, rules(protect=tuple(sorted(protect))), *processes)
    protected = (
        ("attached" in protect and attached)
        or ("keep" in protect and keep)
        or ("running" in protect and (running or not known))
    )
    assert verdict.remove is not protected


@pytest.mark.parametrize("word", ["unsaved", "waiting", "stopped"])
def test_some_protections_wear_off(word: str) -> None:
    """Since the session was last used, by whatever clock that counts."""
    shows = subject(session(), signs=(Sign(word, "it is so"),))
    by = rules(protect=(word,), protect_for={word: 1001})
    assert policy.judge(shows, by, NOW).reason == word
    assert policy.judge(shows, by, NOW + 1).reason == "idle"
    assert policy.judge(shows, rules(protect=(word,)), NOW + 10**8).reason == word, "not by default"
    used = shows._replace(signs=(*shows.signs, Sign("wrote", "wrote a file", at=NOW)))
    assert policy.judge(used, by, NOW + 1000).reason == word
    assert policy.judge(used, by, NOW + 1001).reason == "idle"


@pytest.mark.parametrize("word", ["attached", "keep", "unknown"])
def test_others_never_do(word: str) -> None:
    it = session(attached=int(word == "attached"), keep="on" if word == "keep" else "")
    seen = subject(it, signs=(Sign("unknown", "it could not be read"),) if word == "unknown" else ())
    by = rules(protect_for={"attached": 1, "keep": 1, "unknown": 1} if word == "unknown" else {"stopped": 1})
    assert policy.judge(seen, by, NOW + 10**8).reason == word


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
    assert judged(half, by)[1:4] == ("keep", "unfinished", "not all its panes are dead")
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
    assert spoken(seconds) == text


def test_the_evidence_is_what_was_seen() -> None:
    it = session(
        "x",
        window(pane(dead=True), pane(), window_activity=NOW - 7),
        window(window_activity=NOW - 9),
        keep="on",
        attached=2,
    )
    assert evidence(it) == {
        **dict.fromkeys(CLOCK_WORDS),
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
    assert evidence(session(client_activity=NOW))["input"] == NOW


def test_a_session_is_chosen_by_its_own_options() -> None:
    by = rules(where={"@made_by": "agent", "@n": ""})
    made = {"@made_by": "agent", "@n": ""}
    assert by.selects(session(options=made))
    assert not by.selects(session(options={"@made_by": "agent"})), "what is empty is not what is missing"
    assert not by.selects(session(options=dict(made, **{"@made_by": "Agent"})))
    assert not by.selects(session())
    assert not by._replace(excludes=lambda name: True).selects(session(options=made))
    assert rules().selects(session())


def test_what_could_not_be_read_is_looked_at_and_stays() -> None:
    hidden = session(options=None)
    by = rules(where={"@made_by": "agent"}, finished=True, protect=())
    assert by.selects(hidden)
    assert judged(hidden, by)[1:4] == ("keep", "unknown", "its user options could not be read")


def test_options_that_choose_are_compared_before_a_removal() -> None:
    guards = rules(where={"@made_by": "agent"}).guards
    assert "/#{@made_by}/" in guards.session and guards.session.endswith("/#{session_name}")
    assert rules().guards == WHOLE and rules(activity="input").guards == WITHOUT_OUTPUT


@pytest.mark.parametrize(("value", "wished"), [("", False), ("off", False), ("on", True), ("0", False), ("?", True)])
def test_who_wants_no_snapshot_stays_where_nothing_goes_without(value: str, wished: bool) -> None:
    it = session(no_snapshot=value)
    assert judged(it, rules(saves_all=True)).reason == ("no_snapshot" if wished else "idle")
    assert judged(it, rules()).reason == "idle"
    assert judged(it, rules(saves_all=True, idle=10**6)).reason == "active"


def test_what_is_saved_decides_what_may_go_unsaved() -> None:
    assert not policy_of(params()).saves_all
    assert policy_of(params(snapshot_dir="/s")).saves_all
    assert not policy_of(params(snapshot_dir="default", allow_no_snapshot=True)).saves_all


def test_a_pattern_made_to_take_for_ever_meets_short_names_only() -> None:
    seen: List[str] = []

    def note(name: str) -> bool:
        seen.append(name)
        return False

    rules(patterns=note, excludes=note).looks_at("x" * 10**6)
    assert {len(name) for name in seen} == {NAME_LIMIT}


# --- what it runs, and what it did while it was watched


def test_a_pane_whose_process_cannot_be_seen_is_not_taken_for_idle() -> None:
    two = session("work", window(pane(pid=4711), pane(pid=8, id="%2")))
    other = SHELL._replace(pid=8, sid=8, command="zsh")
    by = rules(protect=("running",))
    assert judged(two, by, SHELL)[1:3] == ("keep", "unknown")
    assert judged(two, by, SHELL, other).remove
    assert judged(two, by, SHELL, other._replace(command="make"))[2:4] == ("running", "it runs make")
    assert judged(two, by, SHELL, other, SHELL._replace(pid=9, command="bash"))[2:4] == ("running", "it runs bash")


def test_a_program_that_is_always_kept_keeps_its_session_while_it_lives() -> None:
    make = SHELL._replace(pid=4712, ppid=4711, command="make")
    by = rules(protect=(), protect_commands=lambda name: name == "make")
    assert judged(session(), by, SHELL, make)[1:4] == ("keep", "command", "it runs make, which protect_commands keeps")
    assert judged(session(), by, SHELL, make._replace(state="Z")).remove
    assert judged(session(), by, SHELL).remove
    assert judged(session(), by, *HIDDEN)[1:3] == ("keep", "unknown")
    assert judged(session("x", window(pane(dead=True))), by._replace(finished=True)).remove


@pytest.mark.parametrize(("ticks", "calls", "busy"), [(0, 0, False), (1, 0, True), (0, 1, True)])
def test_what_worked_while_it_was_watched_is_busy(ticks: int, calls: int, busy: bool) -> None:
    watched = subject(session(), watched=Work(1.0, ticks, calls))
    assert policy.judge(watched, rules(), NOW).reason == ("busy" if busy else "idle")
    assert policy.judge(watched, rules(protect=()), NOW).remove
    assert policy.judge(watched._replace(watched=None), rules(), NOW).remove


def test_every_protection_has_its_words() -> None:
    words = [protection.word for protection in PROTECTIONS]
    assert len(set(words)) == len(words)
    assert set(words) == {reason.word for reason in reasons("kept")} & set(words)
    assert all(protection.sentence for protection in PROTECTIONS)


# --- signs

SIGNS = st.lists(
    st.builds(
        lambda kind, ago: Sign(kind.word, "what", "program", NOW - ago if kind.family == CLOCK_SIGN else None),
        st.sampled_from(SIGN_KINDS),
        st.integers(-10, 3000),
    ),
    max_size=6,
)
PROTECTS = st.sets(st.sampled_from([protection.word for protection in PROTECTIONS])).map(tuple)


@given(SIGNS, SIGNS, PROTECTS, st.booleans(), st.sampled_from(["any", "input", "output"]))
def test_one_sign_more_only_keeps(
    some: List[Sign], more: List[Sign], protect: Tuple[str, ...], noise: bool, activity: str
) -> None:
    by = rules(protect=protect, activity=activity)
    first = subject(session(), signs=tuple(some), noise=noise)
    kept = not policy.judge(first, by, NOW).remove
    assert not (kept and policy.judge(first._replace(signs=tuple(some + more)), by, NOW).remove)


def test_what_could_not_be_read_keeps_whatever_protects() -> None:
    sign = Sign("unknown", "its files could not be read", "rsync")
    for by in (rules(protect=()), rules(protect=(), activity="input"), rules(idle=None, older_than=5, protect=())):
        decision = policy.judge(subject(session(), signs=(sign,)), by, NOW)
        assert (decision.action, decision.reason) == ("keep", "unknown")
        assert decision.detail == "its files could not be read (rsync)"


@pytest.mark.parametrize("activity", ["any", "input", "output"])
def test_a_clock_of_the_hosts_counts_whatever_tmux_is_asked(activity: str) -> None:
    sign = Sign("wrote", "wrote a file", "python3", NOW - 60)
    decision = policy.judge(subject(session(), signs=(sign,)), rules(activity=activity, protect=()), NOW)
    assert (decision.action, decision.reason) == ("keep", "active")
    assert decision.detail == "wrote a file 1m ago (python3)"
    assert policy.judge(subject(session(), signs=(sign,)), rules(idle=60, protect=()), NOW).remove


@pytest.mark.parametrize("word", ["unsaved", "waiting", "stopped"])
def test_a_state_protects_where_it_is_asked(word: str) -> None:
    it = subject(session(), signs=(Sign(word, "it does", "vim"),))
    decision = policy.judge(it, rules(protect=(word,)), NOW)
    assert (decision.action, decision.reason, decision.detail) == ("keep", word, "it does (vim)")
    assert policy.judge(it, rules(protect=("attached",)), NOW).remove


def test_output_that_is_noise_does_not_count() -> None:
    blinks = session("work", window(window_activity=NOW))
    assert not policy.judge(subject(blinks), rules(), NOW).remove
    assert policy.judge(subject(blinks, noise=True), rules(), NOW).remove
