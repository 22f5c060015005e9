# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Only a client that means somebody protects; who holds whom is judged to a fixed point, in whatever order."""

import random
from typing import Dict, List, NamedTuple, Optional, Sequence, Set, Tuple

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._policy.attached import outer, settled, turns
from ansible_collections.fleet.tmux.plugins.module_utils._policy.clocks import evidence
from ansible_collections.fleet.tmux.plugins.module_utils._policy.decide import decide
from ansible_collections.fleet.tmux.plugins.module_utils._policy.decisions import Attachment, Decision, Key, Subject
from ansible_collections.fleet.tmux.plugins.module_utils._policy.notice import Mark, effort
from ansible_collections.fleet.tmux.plugins.module_utils._policy.rules import Policy, judge
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import AttachedClient
from ansible_collections.fleet.tmux.tests.support import sessions as make
from ansible_collections.fleet.tmux.tests.support.sessions import NOW
from hypothesis import given
from hypothesis import strategies as st

POLICY = Policy(idle=600, older_than=None, finished=False, activity="any", protect=("attached", "keep"))


def client(
    *within: str,
    lives: bool = True,
    typed: Optional[int] = 7200,
    since: int = 10800,
    control: bool = False,
    pid: int = 9,
) -> Attachment:
    """A client in panes of these sessions, at which somebody typed so many seconds ago."""
    moment = None if typed is None else NOW - typed
    known = AttachedClient(pid, "/dev/pts/9", NOW - since, {"client_activity": moment}, control)
    return Attachment(known, lives, moment, tuple((0, identity) for identity in within))


def subject(identity: str, *clients: Attachment, **more: object) -> Subject:
    session = make.session("s" + identity, id=identity, attached=len(clients), **more)
    return make.subject(session, clients=tuple(clients))


def verdicts(*subjects: Subject, policy: Policy = POLICY) -> Dict[str, str]:
    return {d.subject.session.id: "%s: %s" % (d.action, d.reason) for d in decide(subjects, policy, NOW)}


def detail(*subjects: Subject, policy: Policy = POLICY) -> str:
    """What is said of the first."""
    return decide(subjects, policy, NOW)[0].detail


GOES, ATTACHED = "remove: idle", "keep: attached"


# --- one client


def test_a_client_on_a_terminal_protects() -> None:
    assert verdicts(subject("$1", client())) == {"$1": ATTACHED}


def test_a_client_that_is_not_listed_protects() -> None:
    """tmux counts it."""
    assert verdicts(make.subject(make.session(attached=1))) == {"$1": ATTACHED}
    both = make.subject(make.session(attached=2), clients=(client(lives=False),))
    assert (verdicts(both), detail(both)) == ({"$1": ATTACHED}, "1 client")


def test_a_client_whose_terminal_has_gone_does_not() -> None:
    gone = subject("$1", client(lives=False))
    assert verdicts(gone) == {"$1": GOES}
    assert detail(gone) == "no activity for 16m 40s; the terminal of its client has gone"


@pytest.mark.parametrize("after, verdict", [(None, ATTACHED), (7201, ATTACHED), (7200, GOES), (60, GOES)])
def test_a_client_at_which_nobody_types_protects_as_long_as_is_asked_for(after: Optional[int], verdict: str) -> None:
    assert verdicts(subject("$1", client()), policy=POLICY._replace(attached_idle=after)) == {"$1": verdict}


def test_a_client_of_which_nobody_knows_when_it_was_typed_at_always_protects() -> None:
    assert verdicts(subject("$1", client(typed=None)), policy=POLICY._replace(attached_idle=1)) == {"$1": ATTACHED}


def test_one_that_counts_is_enough() -> None:
    several = subject("$1", client(lives=False), client("$2"), client())
    assert verdicts(several, subject("$2"))["$1"] == ATTACHED
    assert detail(several, subject("$2")) == "a client since 3h, last input 2h ago"


@pytest.mark.parametrize(
    "clients, said",
    [
        ([client()], "a client since 3h, last input 2h ago"),
        ([client(), client(typed=60)], "2 clients, one of them since 3h, last input 1m ago"),
        ([client(control=True, typed=None)], "a client in control mode since 3h"),
        ([client("$7", typed=60)], "a client in a pane of $7 since 3h, last input 1m ago"),
        ([client("$8", "$7")], "a client in a pane of $7 and $8 since 3h, last input 2h ago"),
    ],
)
def test_it_is_said_who_protects(clients: List[Attachment], said: str) -> None:
    assert detail(subject("$1", *clients)) == said


# --- clients in panes


def test_a_client_in_a_pane_of_what_goes_does_not_protect() -> None:
    inner = subject("$1", client("$2"))
    assert verdicts(inner, subject("$2")) == {"$1": GOES, "$2": GOES}
    assert detail(inner, subject("$2")) == "no activity for 16m 40s; its client sits in a pane of $2, which goes first"


def test_a_client_in_a_pane_of_what_stays_does() -> None:
    assert verdicts(subject("$1", client("$2")), subject("$2", keep="on")) == {"$1": ATTACHED, "$2": "keep: keep"}
    assert verdicts(subject("$1", client("$2"))) == {"$1": ATTACHED}, "nobody knows anything of $2"


def test_a_pane_goes_with_the_last_session_that_holds_it() -> None:
    both = client("$2", "$3")
    assert verdicts(subject("$1", both), subject("$2"), subject("$3"))["$1"] == GOES
    assert verdicts(subject("$1", both), subject("$2"), subject("$3", keep="on"))["$1"] == ATTACHED


def test_sessions_that_hold_each_other_go_or_stay_together() -> None:
    circle = [subject("$1", client("$2")), subject("$2", client("$1"))]
    assert verdicts(*circle) == {"$1": GOES, "$2": GOES}
    assert verdicts(*circle, subject("$3", client("$1"))) == dict.fromkeys(("$1", "$2", "$3"), GOES)
    assert verdicts(circle[0], subject("$2", client("$1"), client())) == {"$1": ATTACHED, "$2": ATTACHED}


def test_a_session_that_holds_only_itself_goes() -> None:
    assert verdicts(subject("$1", client("$1"))) == {"$1": GOES}


def test_what_was_typed_at_a_client_in_a_pane_that_goes_was_typed_there() -> None:
    inner = subject("$1", client("$2", typed=5), client_activity=NOW - 5)
    (decision, _outer) = decide([inner, subject("$2")], POLICY, NOW)
    assert decision.remove and evidence(decision.subject.session)["input"] == NOW - 1000
    unprotected = POLICY._replace(protect=())
    assert verdicts(inner, subject("$2", keep="on"), policy=unprotected)["$1"] == GOES
    assert verdicts(inner, subject("$2", session_activity=NOW), policy=unprotected)["$1"] == "keep: active"


def test_without_that_protection_no_client_protects() -> None:
    assert verdicts(subject("$1", client()), policy=POLICY._replace(protect=("keep",))) == {"$1": GOES}


# --- with notice


def noticed(given: int, left: int) -> str:
    """The mark that a session of these tests has when notice was given so long ago for in so long."""
    return Mark(NOW - given, NOW + left, effort({})).written()


def test_both_are_given_notice() -> None:
    policy = POLICY._replace(notice=60)
    pair = (subject("$1", client("$2")), subject("$2"))
    assert verdicts(*pair, policy=policy) == {"$1": "mark: idle", "$2": "mark: idle"}


def test_an_inner_session_waits_for_the_time_of_the_outer() -> None:
    policy = POLICY._replace(notice=60)
    inner = subject("$1", client("$2"), notice=noticed(120, -60))
    (kept, waits) = decide([inner, subject("$2", notice=noticed(30, 30))], policy, NOW)
    assert (kept.action, kept.reason, kept.unmark) == ("keep", "attached", False)
    assert (waits.action, waits.reason) == ("keep", "notice")
    assert "whose own time has not come" in kept.detail
    third = subject("$3", client("$1"), notice=noticed(120, -60))
    assert verdicts(inner, subject("$2", notice=noticed(30, 30)), third, policy=policy)["$3"] == ATTACHED
    assert verdicts(inner, subject("$2", notice=noticed(120, -60)), policy=policy) == {"$1": GOES, "$2": GOES}


def test_the_mark_of_an_inner_session_is_taken_back_with_that_of_the_outer() -> None:
    policy = POLICY._replace(notice=60)
    inner = subject("$1", client("$2"), notice=noticed(30, 30))
    used = subject("$2", notice=noticed(30, 30), session_activity=NOW - 10)
    assert [decision.unmark for decision in decide([inner, used], policy, NOW)] == [True, True]


# --- whatever the order


class Net(NamedTuple):
    """Sessions with clients in each other's panes; ``kept`` of them are kept by something else."""

    holders: List[List[List[int]]]
    kept: Set[int]

    def subjects(self) -> List[Subject]:
        return [
            subject(
                "$%d" % number,
                *[client(*["$%d" % each for each in sorted(set(holder))]) for holder in holders],
                keep="on" if number in self.kept else "",
            )
            for number, holders in enumerate(self.holders)
        ]


@st.composite
def nets(draw: st.DrawFn) -> Net:
    count = draw(st.integers(1, 7))
    someone = st.integers(0, count - 1)
    holders = draw(st.lists(st.lists(st.lists(someone, max_size=2), max_size=2), min_size=count, max_size=count))
    return Net(holders, draw(st.sets(someone, max_size=2)))


def going(decisions: Sequence[Decision]) -> Set[Key]:
    return {decision.subject.key for decision in decisions if decision.remove}


@given(nets(), st.randoms(use_true_random=False))
def test_the_order_of_sessions_does_not_matter(net: Net, rng: random.Random) -> None:
    subjects = net.subjects()
    mixed = list(subjects)
    rng.shuffle(mixed)
    assert {d.subject.key: d for d in decide(subjects, POLICY, NOW)} == {
        d.subject.key: d for d in decide(mixed, POLICY, NOW)
    }


@given(nets())
def test_what_goes_is_seen_from_nowhere_but_what_goes_and_all_of_it_goes(net: Net) -> None:
    """The largest set of sessions of which that holds: found here by taking away one after the other."""
    subjects = net.subjects()
    most = {(0, "$%d" % number) for number in range(len(subjects)) if number not in net.kept}
    while True:
        seen = {each.key for each in subjects for it in each.clients if not it.within or not set(it.within) & most}
        held = {each.key for each in subjects for it in each.clients if it.within and not set(it.within) <= most}
        if not most & (seen | held):
            break
        most -= seen | held
    assert going(decide(subjects, POLICY, NOW)) == most


@given(nets(), st.data())
def test_one_client_more_never_lets_a_session_go(net: Net, data: st.DataObject) -> None:
    subjects = net.subjects()
    number = data.draw(st.integers(0, len(subjects) - 1))
    within = data.draw(st.lists(st.sampled_from([each.session.id for each in subjects]), max_size=2))
    more = client(*sorted(set(within)))
    one = subjects[number]
    session = one.session._replace(attached=one.session.attached + 1)
    with_it = [*subjects]
    with_it[number] = one._replace(session=session, clients=(*one.clients, more))
    assert going(decide(with_it, POLICY, NOW)) <= going(decide(subjects, POLICY, NOW))


@given(nets())
def test_outer_sessions_have_their_turn_before_inner_ones_and_circles_together(net: Net) -> None:
    decisions = decide(net.subjects(), POLICY, NOW)
    order = turns(decisions)
    assert sorted(each.subject.key for turn in order for each in turn) == sorted(each.subject.key for each in decisions)
    when = {each.subject.key: number for number, turn in enumerate(order) for each in turn}
    reached = {each.subject.key: _reached(each, decisions) for each in decisions}
    for each in decisions:
        for holder in outer(each) & going(decisions) - {each.subject.key}:
            same = each.subject.key in reached[holder]
            assert when[holder] == when[each.subject.key] if same else when[holder] < when[each.subject.key]


def _reached(decision: Decision, decisions: Sequence[Decision]) -> Set[Key]:
    by_key = {each.subject.key: each for each in decisions}
    found: Set[Key] = set()
    todo = [decision.subject.key]
    while todo:
        new = outer(by_key[todo.pop()]) & going(decisions) - found
        found |= new
        todo.extend(new)
    return found


def test_a_session_of_another_owner_goes_the_way_that_is_told() -> None:
    inner = subject("$1", client())
    (only,) = inner.clients
    inner = inner._replace(clients=(only._replace(within=((-1, "4711"),)),))

    def reason(way: Optional[int]) -> Tuple[str, str]:
        told = {} if way is None else {(-1, "4711"): way}
        (found,) = settled([inner], lambda each: judge(each, POLICY, NOW), None, NOW, told)
        return found.reason, found.detail

    assert reason(None) == (
        "attached",
        "a client in a pane of another user's session since 3h, last input 2h ago",
    )
    assert reason(2)[0] == "idle"
    assert reason(0)[0] == reason(1)[0] == "attached"
