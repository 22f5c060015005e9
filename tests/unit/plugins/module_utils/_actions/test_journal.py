# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the log of a host says of a removal, whatever the session, its owner and its server are called."""

import re
from typing import List

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._actions.journal import Journal, Removal
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Process
from ansible_collections.fleet.tmux.plugins.module_utils._host.record import LINE_BYTES, Record
from ansible_collections.fleet.tmux.plugins.module_utils._policy.decisions import (
    KEPT,
    NOT_DONE,
    REMOVE,
    REMOVED,
    Decision,
    Survivor,
    done,
)
from ansible_collections.fleet.tmux.tests.support.sessions import session, subject
from hypothesis import given
from hypothesis import strategies as st

WORK = Removal("alice", "/tmp/tmux-1000/default", "work", "$3", "idle", "no activity for 3d")
OLD = WORK._replace(window=("old", "@7"))
TEXT = st.text(max_size=600)


class Lines(Record):
    """A log that is a list."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: List[str] = []

    def write(self, line: str) -> None:
        self.lines.append(line)


def written(it: Removal, snapshot: str = "", policy: str = "idle=1d protect=keep") -> List[str]:
    log = Lines()
    journal = Journal(log, policy)
    journal.before(it)
    journal.after(it, REMOVED, snapshot)
    journal.after(it._replace(why="changed", detail="something happened to it"), KEPT)
    journal.after(it._replace(why="error", detail="tmux did not answer"), NOT_DONE)
    return log.lines


def test_it_says_who_why_where_and_by_which_policy() -> None:
    at = 'at "/tmp/tmux-1000/default"'
    assert written(WORK, "/var/lib/s") == [
        'about to remove session "work" ($3) of alice: idle: no activity for 3d; %s; policy: idle=1d protect=keep' % at,
        'removed session "work" ($3) of alice: idle: no activity for 3d; %s; saved in "/var/lib/s"' % at,
        'did not remove session "work" ($3) of alice: changed: something happened to it; %s' % at,
        'did not see removed session "work" ($3) of alice: error: tmux did not answer; %s' % at,
    ]


def test_it_says_which_window_of_which_session() -> None:
    who = 'window "old" (@7) of session "work" ($3) of alice: idle: no activity for 3d; at "/tmp/tmux-1000/default"'
    assert written(OLD, "/var/lib/s")[:2] == [
        "about to remove %s; policy: idle=1d protect=keep" % who,
        'removed %s; saved in "/var/lib/s"' % who,
    ]


def test_what_outlived_a_session_is_one_line() -> None:
    log = Lines()
    survivors = tuple(
        Survivor(Process(pid, 1, pid, "S", 5, 0, 0, "make"), ports, "reported")
        for pid, ports in ((7, (80, 81)), (8, ()))
    )
    gone = done(Decision(subject(session("work")), REMOVE, "idle", "no activity for 3d"))
    journal = Journal(log)
    journal.outlived(gone)
    assert log.lines == []
    journal.outlived(gone._replace(survivors=survivors))
    (line,) = log.lines
    assert line.startswith('processes outlived session "work" (')
    assert line.endswith('; 7 "make" on 80 81 (reported), 8 "make" (reported)')


def test_the_name_of_a_program_is_no_second_one() -> None:
    log = Lines()
    forged = Survivor(Process(7, 1, 7, "S", 5, 0, 0, "x (killed), 1 y"), (), "reported")
    gone = done(Decision(subject(session("work")), REMOVE, "idle", "no activity for 3d"))
    Journal(log).outlived(gone._replace(survivors=(forged,)))
    assert log.lines[0].endswith('; 7 "x (killed), 1 y" (reported)')


@pytest.mark.parametrize(
    "why, detail, said", [("older_than", "created 1w ago", "older_than: created 1w ago"), ("x", "", "x")]
)
def test_the_word_stands_alone_where_there_is_no_more(why: str, detail: str, said: str) -> None:
    assert " of alice: %s; at " % said in written(WORK._replace(why=why, detail=detail))[0]


@given(TEXT, TEXT, TEXT, TEXT)
def test_whatever_somebody_has_chosen_is_one_line_in_which_his_words_end(
    name: str, socket: str, owner: str, detail: str
) -> None:
    it = Removal(owner, socket, name, "$3", "idle", detail)
    for line in written(it, socket, detail):
        assert line.isprintable()
        assert re.match(
            r'(about to remove|removed|did not remove|did not see removed) session "(\\"|\\\\|[^"\\])*" \(\$3\) of ',
            line,
        )


@given(TEXT)
def test_what_matters_is_never_cut_off(text: str) -> None:
    before = written(WORK._replace(name=text * 9, socket=text * 9))[0].encode("utf-8", "surrogateescape")
    assert b" ($3) of alice: idle: no activity for 3d; at " in before[:LINE_BYTES]


def test_without_a_log_nothing_is_written_and_nothing_is_wrong() -> None:
    journal = Journal()
    journal.before(WORK)
    assert journal.trouble == []
