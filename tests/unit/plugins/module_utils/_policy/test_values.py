# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which values options may have: what is refused, in which words, and what the others become."""

import re
from typing import Any, Dict, List, Optional, Sequence, Tuple

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._modules.info import INCLUDES
from ansible_collections.fleet.tmux.plugins.module_utils._modules.prune_options import policy
from ansible_collections.fleet.tmux.plugins.module_utils._policy.errors import OptionError
from ansible_collections.fleet.tmux.plugins.module_utils._policy.protections import PROTECTIONS
from ansible_collections.fleet.tmux.plugins.module_utils._policy.rules import ACTIVITIES
from ansible_collections.fleet.tmux.plugins.module_utils._policy.values import (
    CHECKS,
    INFO,
    PRUNE,
    SEND,
    SESSION,
    WAIT,
    Rule,
    checked,
    problems,
)
from ansible_collections.fleet.tmux.plugins.module_utils._specs import (
    tmux_send_keys,
    tmux_session,
    tmux_session_info,
    tmux_session_prune,
    tmux_session_wait,
)

OPTIONS = {
    "info": tmux_session_info.ARGUMENT_SPEC,
    "prune": tmux_session_prune.ARGUMENT_SPEC,
    "send": tmux_send_keys.ARGUMENT_SPEC,
    "session": tmux_session.ARGUMENT_SPEC,
    "wait": tmux_session_wait.ARGUMENT_SPEC,
}
RULES: Dict[str, Sequence[Rule]] = {"info": INFO, "prune": PRUNE, "send": SEND, "session": SESSION, "wait": WAIT}
NEEDED: Dict[str, Dict[str, Any]] = {
    "info": {},
    "prune": {"idle": "1d"},
    "send": {"name": "work", "enter": True},
    "session": {"name": ["work"]},
    "wait": {"name": ["work"]},
}
DURATION_OPTIONS = ("idle", "older_than", "notice", "timeout", "grace_period", "host_timeout")


def given(module: str, **options: Any) -> Dict[str, Any]:
    """What a module is given when a task says no more than this."""
    defaults = {name: spec.get("default") for name, spec in OPTIONS[module].items()}
    return dict(dict(defaults, **NEEDED[module]), **options)


PANE = dict.fromkeys(("command", "argv", "chdir", "env", "title"), None)
WINDOW = dict(PANE, name=None, panes=None, layout=None, options=None, focus=False)
CLEANUP: Dict[str, Any] = {"cleanup": {"log": "keep", "files": ["/a"]}}
JOB = {"state": "completed", "command": "true"}


def pane(**said: Any) -> Dict[str, Any]:
    return dict(PANE, focus=False, **said)


def window(**said: Any) -> Dict[str, Any]:
    return dict(WINDOW, **said)


WINDOWS: List[Tuple[List[Dict[str, Any]], str]] = [
    ([], "windows: the list is empty; .*"),
    ([WINDOW, window(name="a\tb")], r"windows\[1\]: name: .* cannot be used: it holds a control .*"),
    ([window(name="a"), window(name="a")], "windows: two have the name 'a'; .*"),
    ([window(command="a", argv=["b"])], r"windows\[0\]: command and argv are mutually exclusive; .*"),
    (
        [window(command="a", panes=[pane()])],
        r"windows\[0\]: command and panes are mutually exclusive; say it of a pane",
    ),
    ([window(panes=[])], r"windows\[0\]: panes: the list is empty; .*"),
    ([window(panes=[pane(command=" ")])], r"windows\[0\]: panes\[0\]: command: it is empty; .*"),
    ([window(panes=[pane(env={"A=B": "1"})])], r"windows\[0\]: panes\[0\]: env: 'A=B' is no name of a variable"),
    ([window(panes=[pane(title="\n")])], r"windows\[0\]: panes\[0\]: title: it holds a control character"),
    ([window(command="printf 'a\rb'")], r"windows\[0\]: command: it holds a control character, which tmux shows .*"),
    ([window(panes=[pane(argv=["a", "\x1b"])])], r"windows\[0\]: panes\[0\]: argv: it holds a control character.*"),
    ([window(options={"a b": "1"})], r"windows\[0\]: options: 'a b' is no name of an option; .*"),
    ([window(focus=True), window(focus=True)], "windows: more than one has the focus"),
    ([window(panes=[dict(pane(), focus=True)] * 2)], r"windows\[0\]: panes: more than one has the focus"),
    ([window(panes=[pane()] * 499), WINDOW, WINDOW], "windows: more than 500 panes"),
]


@pytest.mark.parametrize("module", sorted(OPTIONS))
def test_the_defaults_of_a_module_are_values_it_may_have(module: str) -> None:
    assert problems(given(module), RULES[module]) == []
    assert checked(given(module), RULES[module])["timeout"] == 10


@pytest.mark.parametrize(
    "module, options, said",
    [
        # Durations, each by its name.
        ("prune", {"idle": "90"}, "idle: 90 has no unit; write 90s, 90m, 90h or 90d"),
        ("prune", {"idle": 90}, "idle: 90 has no unit; write 90s, 90m, 90h or 90d"),
        ("prune", {"older_than": "1y"}, "older_than: '1y' is no duration; write numbers with units, .*"),
        ("prune", {"notice": "0s"}, "notice: 0s is no time at all; the shortest is 1s"),
        ("prune", {"never_attached": "2"}, "never_attached: 2 has no unit; write 2s, 2m, 2h or 2d"),
        ("prune", {"keep_newest": 0}, "keep_newest: 0 is less than 1; leave it out to keep none for it"),
        ("prune", {"where": {}}, "where: it is empty; leave it out to look at all sessions"),
        ("prune", {"where": {"made_by": "agent"}}, "where: 'made_by' is no user option of tmux; write an @ and .*"),
        ("prune", {"where": {"@x}": "1"}}, "where: '@x}' is no user option of tmux; .*"),
        ("prune", {"where": {"@x": True}}, "where: the value of @x is no text; write it in quotes, as tmux shows it"),
        ("prune", {"protect_for": {"unsaved": "4"}}, "protect_for: unsaved: 4 has no unit; write 4s, 4m, 4h or 4d"),
        (
            "prune",
            {"protect_for": {"stopped": "0d", "waiting": "1w"}},
            "protect_for: stopped: 0d is no time at all; .*",
        ),
        ("prune", {"protect_commands": ["("], "use_regex": True}, "protect_commands: '\\(' is no regular expression.*"),
        (
            "prune",
            {"snapshot_dir": "/s", "snapshot_keep": {"age": "4"}},
            "snapshot_keep: age: 4 has no unit; write 4s, 4m, 4h or 4d",
        ),
        ("info", {"timeout": "10.0"}, "timeout: 10.0 has no unit; write 10s or 10m"),
        ("info", {"timeout": "0s"}, "timeout: 0s is no time at all; the shortest is 1s"),
        ("info", {"timeout": "61m"}, "timeout: 61m is too long; the longest is 1h"),
        ("session", {"grace_period": "-1"}, "grace_period: -1 is negative, and no time is; write 1s, 1m or 1h"),
        ("prune", {"grace_period": "2h"}, "grace_period: 2h is too long; the longest is 1h"),
        # Lists that somebody wrote as a text.
        (
            "prune",
            {"excludes": ["build", " test"]},
            r"excludes: ' test' begins with a blank; write commas and no blanks; where .*\[ \] stands for it",
        ),
        ("prune", {"patterns": ["a", "b", "\tc"]}, "patterns: .* begins with a blank; write commas .*"),
        ("prune", {"all_users": True, "exclude_users": ["anna", " bert"]}, "exclude_users: ' bert' begins with .*"),
        ("prune", {"all_users": True, "exclude_users": ["anna", ""]}, "exclude_users: an element is empty; .*"),
        ("info", {"users": ["anna", " bert"]}, "users: ' bert' begins with a blank; .*"),
        ("prune", {"protect_commands": ["vi", " top"]}, "protect_commands: ' top' begins with a blank; .*"),
        ("prune", {"ignore_commands": ["default", " top"]}, "ignore_commands: ' top' begins with a blank; .*"),
        (
            "prune",
            {"notify_command": ["mail root"]},
            r"notify_command: 'mail root' is one word, and no shell takes it apart; write a list, like \[mail, root\]",
        ),
        ("prune", {"veto_command": ["may it"]}, "veto_command: 'may it' is one word, .*"),
        ("session", {"name": ["a"], "argv": ["tail -F log"]}, r"argv: 'tail -F log' .* like \[tail, -F, log\]"),
        # Guards.
        ("prune", {"max_removals": -1}, "max_removals: -1 is less than 0; leave it out for no limit"),
        ("prune", {"max_percent": -0.5}, "max_percent: -0.5 is not between 0 and 100; leave it out for no limit"),
        ("prune", {"max_percent": 100.5}, "max_percent: 100.5 is not between 0 and 100; leave it out for no limit"),
        ("prune", {"max_percent": float("nan")}, "max_percent: nan is not between 0 and 100; .*"),
        # Which sessions.
        ("prune", {"idle": None}, "one of idle, older_than, never_attached and finished is required: without any, .*"),
        ("prune", {"patterns": ["("], "use_regex": True}, r"patterns: '\(' is no regular expression: .*"),
        ("prune", {"excludes": ["*"], "use_regex": True}, r"excludes: '\*' is no regular expression: .*"),
        # What belongs together.
        ("prune", {"notice_message": ""}, "notice_message tells of a notice; it needs notice"),
        (
            "prune",
            {"snapshot_colors": True},
            "snapshot_colors, snapshot_keep and allow_no_snapshot are about .*; they need snapshot_dir",
        ),
        (
            "prune",
            {"snapshot_keep": {}},
            "snapshot_colors, snapshot_keep and allow_no_snapshot are about .*; they need snapshot_dir",
        ),
        ("prune", {"allow_no_snapshot": True}, "snapshot_colors, snapshot_keep and .*; they need snapshot_dir"),
        (
            "prune",
            {"snapshot_dir": "/s", "snapshot_keep": {"size": "5"}},
            "snapshot_keep: size: '5' is no size; .* 500M or 2G",
        ),
        ("prune", {"snapshot_dir": "/s", "snapshot_keep": {"size": "0M"}}, "snapshot_keep: size: '0M' is no size; .*"),
        (
            "prune",
            {"snapshot_dir": "/s", "snapshot_keep": {"size": "1.5G"}},
            "snapshot_keep: size: '1.5G' is no size; .*",
        ),
        ("prune", {"snapshot_dir": "s"}, "snapshot_dir: 's' is not absolute; write a path that begins with /"),
        (
            "prune",
            {"snapshot_dir": "/s", "snapshot_keep": {"count": 0}},
            "snapshot_keep: count 0 is less than 1; leave it out to keep all",
        ),
        # What is too much.
        ("info", {"leak_above": {"processes": 5}}, "leak_above: it needs include=resources"),
        ("info", {"include": ["resources"], "leak_above": {"cpu_time": 5}}, "leak_above: cpu_time: 5 has no unit; .*"),
        ("info", {"include": ["resources"], "leak_above": {"memory": "5"}}, "leak_above: memory: '5' is no size; .*"),
        (
            "info",
            {"include": ["resources"], "leak_above": {"open_files": -1}},
            "leak_above: open_files: -1 is less than 0; leave it out for no limit",
        ),
        # Servers.
        ("info", {"socket_name": "a/b"}, "socket_name: 'a/b' is no file name; for a path there is socket_path"),
        ("info", {"socket_name": ""}, "socket_name: '' is no file name; .*"),
        ("info", {"socket_name": ".."}, "socket_name: '..' is no file name; .*"),
        ("info", {"socket_path": "s"}, "socket_path: 's' is not absolute; write a path that begins with /"),
        (
            "info",
            {"socket_path": "/s", "socket_name": "s"},
            "socket_name and socket_path are mutually exclusive; leave all but one out",
        ),
        (
            "info",
            {"socket_path": "/s", "all_users": True},
            "all_users: it looks for all sockets; leave out socket_name and socket_path",
        ),
        (
            "prune",
            {"socket_name": "s", "users": []},
            "users: it looks for all sockets; leave out socket_name and socket_path",
        ),
        ("info", {"exclude_users": ["root"]}, "exclude_users: it needs all_users=true or users"),
        ("info", {"content_lines": 0}, "content_lines: 0 is not between 1 and 1000000"),
        ("info", {"content_lines": 1000001}, "content_lines: 1000001 is not between 1 and 1000000"),
        ("session", {"log": "here"}, "log: 'here' is no path of a file; write one that begins with / or ~/"),
        ("session", {"log": "~/logs/"}, "log: '~/logs/' is a directory; name a file"),
        ("session", {"log": "/logs/.."}, "log: '/logs/..' is a directory; name a file"),
        ("session", {"cleanup": {"log": "keep", "files": ["/"]}}, ".*'/' is a directory; name a file"),
        ("session", {"chdir": "here"}, "chdir: 'here' is not absolute; write a path that begins with / or ~/"),
        ("session", {"chdir": ""}, "chdir: '' is not absolute; .*"),
        ("session", {"windows": [{"chdir": "~bob"}]}, "windows.0.: chdir: '~bob' is not absolute; .*"),
        ("session", {"windows": [{"layout": ""}]}, "windows.0.: layout: it is empty; leave it out for panes .*"),
        ("session", {"options": {"@fleet_tmux_log": "x"}}, "options: @fleet_tmux_log is what these modules .*"),
        ("session", {"windows": [{"options": {"@fleet_tmux_x": 1}}]}, "windows.0.: options: @fleet_tmux_x is what .*"),
        ("session", {"command": "x" * 131072}, "command: it has 131072 bytes, .* than 131071 in one word; write .*"),
        ("session", {"argv": ["x", "x" * 131072]}, "argv: it has 131072 bytes, .*"),
        ("session", {"log": "/a\nb"}, "log: .* holds a control character or bytes that are no UTF-8"),
        ("session", {"log": "/a", "name": ["a", "b"]}, "name: with log it takes exactly one name"),
        ("session", {"log": "/a", "snapshot": "/s"}, "log: it is for what one command prints; leave out snapshot"),
        (
            "session",
            {"log": "/a", "windows": [WINDOW]},
            "log: it is .*; leave out windows; say it of the windows or panes",
        ),
        ("session", {"windows": [dict(WINDOW, log="a")]}, r"windows\[0\]: log: 'a' is no path of a file; .*"),
        (
            "session",
            {"windows": [dict(WINDOW, panes=[pane(log="/a")])], "name": ["a", "b"]},
            r"name: with windows\[0\]: panes\[0\]: log it takes exactly one name",
        ),
        (
            "session",
            {"windows": [dict(WINDOW, log="/a", panes=[pane()])]},
            r"windows\[0\]: log and panes are mutually exclusive; say it of a pane",
        ),
        (
            "session",
            {"windows": [dict(WINDOW, log="/a"), dict(WINDOW, panes=[pane(), pane(log="/b/../a")])]},
            r"windows\[1\]: panes\[1\]: log: windows\[0\]: log writes to the same file; .*",
        ),
        (
            "session",
            {"windows": [dict(WINDOW, log="/a"), dict(WINDOW, log="/a.1")], "log_max_size": "64K"},
            r"windows\[1\]: log: windows\[0\]: log writes to the same file; .*",
        ),
        ("session", {"log": "/a", "state": "absent"}, "log: only for state=present, not for state=absent"),
        ("session", {"log_max_size": "1M"}, "log_max_size: there is no log; it needs log"),
        ("session", {"log": "/a", "log_max_size": "63K"}, "log_max_size: 63K is less than 64K, which is the least"),
        (
            "session",
            {"log": "/a", "log_max_size": "1025T"},
            "log_max_size: 1025T is more than 1024T, which is the most; .*",
        ),
        ("session", {"log": "/a", "log_max_size": "1000"}, "log_max_size: '1000' is no size; write a number .*"),
        # Jobs.
        ("session", {"rerun": True}, "rerun: only for state=completed, not for state=present"),
        (
            "session",
            {
                "wait_timeout": "2h",
                "fail_on_timeout": False,
                "fail_on_status": False,
                "content_lines": 5,
                "jobs_dir": "/j",
            },
            "wait_timeout, fail_on_timeout, fail_on_status, content_lines, jobs_dir: only for state=completed, .*",
        ),
        ("session", {"state": "absent", "jobs_dir": "/j"}, "jobs_dir: only for state=completed, not for state=absent"),
        ("session", {"linger": True}, "linger: only with scope=user"),
        ("session", {"linger": True, "scope": "system"}, "linger: only with scope=user"),
        ("wait", {"name": ["a"], "wait_for": ""}, "wait_for: it is empty, which every text shows; leave it out .*"),
        ("session", dict(JOB, name=["a", "b"]), "name: with state=completed it takes exactly one name"),
        ("session", dict(JOB, name=["a:b"]), "name: 'a:b' cannot be used for a new session: .*"),
        ("session", dict(JOB, command=None), "command or argv: state=completed needs something that comes to an end"),
        ("session", dict(JOB, keep_exited=False), "keep_exited: a job is one command .*; leave it out"),
        ("session", dict(JOB, recreate="always"), "recreate: a job is one command .*"),
        ("session", dict(JOB, command=None, windows=[WINDOW]), "windows: a job is one command .*"),
        ("session", dict(JOB, snapshot="/s", restore_commands=True), "snapshot, restore_commands: a job is one .*"),
        ("session", dict(CLEANUP, state="absent"), "cleanup: only for state=present, not for state=absent"),
        ("session", dict(CLEANUP, name=["a", "b"]), "name: with cleanup it takes exactly one name"),
        ("session", dict(JOB, cleanup={"log": "remove", "files": []}), "cleanup: there is no log .*; it needs log"),
        ("session", dict(JOB, cleanup={"log": "keep", "files": ["a"]}), "cleanup: files: 'a' is no path of a file; .*"),
        ("session", dict(JOB, cleanup={"log": "keep", "files": ["/a"] * 101}), "cleanup: 101 files; at most 100 .*"),
        ("session", dict(JOB, wait_timeout="90"), "wait_timeout: 90 has no unit; write 90s, 90m, 90h or 90d"),
        ("session", dict(JOB, jobs_dir="here"), "jobs_dir: 'here' is not absolute; write a path that begins with /"),
        # Waiting.
        ("wait", {"name": []}, "name: the list is empty; name the sessions to wait for"),
        ("wait", {"wait_for": "("}, "wait_for: '\\(' is no regular expression: missing \\).*"),
        ("wait", {"wait_for": "a", "until": "gone"}, "wait_for: it is about sessions that are there; .* until=gone"),
        ("wait", {"wait_timeout": "90"}, "wait_timeout: 90 has no unit; write 90s, 90m, 90h or 90d"),
        ("send", {"enter": False}, "there is nothing to send; give text, secret_text, keys or enter"),
        ("send", {"enter": False, "keys": []}, "there is nothing to send; .*"),
        ("send", {"text": ""}, "text: it is empty; leave it out"),
        (
            "send",
            {"secret_text": "hush\ud800"},
            "secret_text: it holds half of a character, which no terminal can send",
        ),
        ("send", {"keys": ["Up", " "]}, "keys: ' ' is no name of a key; .*"),
        ("send", {"keys": ["a\nb"]}, "keys: .* is no name of a key; .*"),
        ("send", {"keys": ["x" * 33]}, "keys: 'x+' is no name of a key; .*"),
        (
            "send",
            {"keys": ["C-mousedown1Pane"]},
            "keys: 'C-mousedown1Pane' is nothing that a keyboard sends to a program",
        ),
        ("send", {"keys": ["User7"]}, "keys: 'User7' is nothing .*"),
        ("send", {"keys": ["Up"] * 301}, "keys: 301 of them; one task sends at most 300, and a text is for text"),
        ("send", {"wait_for_after": "("}, "wait_for_after: '\\(' is no regular expression: .*"),
        # New sessions.
        ("session", {"name": []}, "name: the list is empty; with state=present it needs at least one session"),
        ("session", {"name": ["a", "b:c"]}, "name: 'b:c' cannot be used for a new session: it holds ':', .*"),
        ("session", {"state": "absent", "width": 80, "env": {}}, "env, width: only for state=present, not .*=absent"),
        ("session", {"state": "only", "keep_exited": False}, "keep_exited: only for state=present, not for state=only"),
        ("session", {"state": "only", "recreate": "always"}, "recreate: only for state=present, not for state=only"),
        ("session", {"command": "a", "argv": ["a"]}, "command and argv are mutually exclusive; leave all but one out"),
        ("session", {"command": " "}, "command: it is empty; leave it out for a session with the user's shell"),
        ("session", {"command": "a\0b"}, "command: it holds a NUL character, which no process can be given"),
        ("session", {"chdir": "/\0"}, "chdir: it holds a NUL character, which no process can be given"),
        ("session", {"argv": []}, "argv: it needs a program as its first element"),
        ("session", {"argv": [""]}, "argv: it needs a program as its first element"),
        ("session", {"argv": ["a", "\0"]}, "argv: it holds a NUL character, which no process can be given"),
        ("session", {"state": "absent", "options": {}}, "options: only for state=present, not for state=absent"),
        ("session", {"options": {"a b": "1"}}, "options: 'a b' is no name of an option; write its whole name, .*"),
        ("session", {"options": {"-g": "1"}}, "options: '-g' is no name of an option; .*"),
        ("session", {"options": {"@a;b": "1"}}, "options: '@a;b' is no name of an option; .*"),
        ("session", {"options": {"@a": ["1"]}}, "options: the value of @a is no text"),
        ("session", {"options": {"@a": None}}, "options: the value of @a is no text"),
        ("session", {"options": {"@a": "\x1b[2J"}}, "options: the value of @a holds a control character; .*"),
        ("session", {"options": {"remain-on-exit": True}}, "options: keep_exited says whether panes stay .*"),
        ("session", {"recreate": "on_drift"}, "recreate: only windows can drift; with on_drift it needs windows"),
        *[("session", {"windows": windows}, said) for windows, said in WINDOWS],
        (
            "session",
            {"windows": [WINDOW], "argv": ["a"], "window_name": "b"},
            "argv, window_name: windows says that .*",
        ),
        ("session", {"windows": [WINDOW], "snapshot": "/s"}, "windows: the snapshot says that already; .*"),
        ("session", {"windows": [WINDOW], "state": "absent"}, "windows: only for state=present, .*"),
        ("session", {"env": {"A=B": "1"}}, "env: 'A=B' is no name of a variable"),
        ("session", {"env": {"A": ["1"]}}, "env: the value of A is no text"),
        ("session", {"env": {"A": None}}, "env: the value of A is no text"),
        ("session", {"env": {"A": "\0"}}, "env: it holds a NUL character, which no process can be given"),
        ("session", {"width": 0}, "width: 0 is not between 1 and 65535"),
        ("session", {"height": 65536}, "height: 65536 is not between 1 and 65535"),
        ("session", {"window_name": "a.b"}, "window_name: 'a.b' cannot be used: it holds '.', .*"),
        # Snapshots that are brought back.
        ("session", {"restore_commands": True}, "restore_commands: it is about a snapshot; it needs snapshot"),
        ("session", {"snapshot_owner": "a"}, "snapshot_owner: it is about a snapshot; it needs snapshot"),
        (
            "session",
            {"snapshot": "/s", "snapshot_owner": "a", "restore_commands": True},
            "restore_commands: never with snapshot_owner, for what one user has written down is not run as another",
        ),
        ("session", {"snapshot": "/s", "height": 2}, "height: the snapshot says that already; leave it out"),
        ("session", {"snapshot": "/s", "name": ["a", "b"]}, "name: a snapshot is of one session, .* exactly one name"),
        ("session", {"snapshot": "s"}, "snapshot: 's' is not absolute; write a path that begins with /"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name_with_the_remedy(
    module: str, options: Dict[str, Any], said: str
) -> None:
    (told,) = problems(given(module, **options), RULES[module])
    assert re.match(r"^%s$" % said, told), told
    with pytest.raises(OptionError, match=said):
        checked(given(module, **options), RULES[module])


def test_the_documentation_offers_what_the_rules_know() -> None:
    prune = tmux_session_prune.ARGUMENT_SPEC
    assert prune["protect"]["choices"] == sorted(protection.word for protection in PROTECTIONS)
    assert sorted(prune["activity"]["choices"]) == sorted(ACTIVITIES)
    assert sorted(tmux_session_info.ARGUMENT_SPEC["include"]["choices"]) == sorted(INCLUDES)


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(OptionError) as caught:
        checked(given("prune", idle="1", timeout="1", max_removals=-1), PRUNE)
    assert sorted(part.split(":")[0] for part in str(caught.value).split("; ") if ":" in part) == [
        "idle",
        "max_removals",
        "timeout",
    ]


@pytest.mark.parametrize("option", DURATION_OPTIONS)
def test_every_duration_has_the_one_grammar(option: str) -> None:
    assert CHECKS[option](option, "1m30s") == 90
    for refused in ("90", 90, "-1s", "1.5s", "", "30s1m"):
        with pytest.raises(OptionError, match=r"^%s: " % option):
            CHECKS[option](option, refused)


@pytest.mark.parametrize("option", DURATION_OPTIONS)
def test_no_time_at_all_means_something_for_two_of_them(option: str) -> None:
    if option in ("grace_period", "host_timeout"):
        assert CHECKS[option](option, "0s") == 0
    else:
        with pytest.raises(OptionError, match="no time at all"):
            CHECKS[option](option, "0s")


def test_values_become_what_modules_work_with() -> None:
    prune = checked(
        given(
            "prune",
            older_than="1w",
            notice="1h",
            snapshot_dir="/s",
            snapshot_keep={"count": 3, "age": "4w", "size": "2g"},
        ),
        PRUNE,
    )
    assert (prune["idle"], prune["older_than"], prune["notice"]) == (86400, 604800, 3600)
    assert prune["snapshot_keep"] == {"count": 3, "age": 2419200, "size": 2 * 1024**3}
    assert (prune["timeout"], prune["grace_period"]) == (10, 10)
    assert checked(given("session", env={"A": 1}), SESSION)["env"] == {"A": "1"}
    options = {"mouse": True, "@b": False, "history-limit": 7, "@c": "a\n\tb"}
    expected = {"mouse": "on", "@b": "off", "history-limit": "7", "@c": "a\n\tb"}
    assert checked(given("session", options=options), SESSION)["options"] == expected
    assert checked(given("session", grace_period="0s"), SESSION)["grace_period"] == 0
    assert checked(given("wait", wait_timeout="0s"), WAIT)["wait_timeout"] == 0


@pytest.mark.parametrize(
    "written", ["", "work", "$3", "4711/5/$3/6/more", "4711/5/3/6", "4711/5/$٣/6", "4711/5/$3/6\n"]
)
def test_what_is_no_identity_is_refused(written: str) -> None:
    for option in ("planned", "planned_marks"):
        with pytest.raises(OptionError, match=option + r": .* take those that a run in check mode returned"):
            checked(given("prune", **{option: ["4711/5/$3/6", written]}), PRUNE)


@pytest.mark.parametrize(
    "options",
    [
        {"notify_command": ["/opt/my tools/tell"]},
        {"notify_command": ["my tool", "anna"]},
        {"notify_command": []},
        {"patterns": [" a", "b c", "[ ]d"]},
        {"excludes": [""]},
    ],
)
def test_a_blank_is_no_mistake_where_it_may_be_meant(options: Dict[str, Any]) -> None:
    assert problems(given("prune", **dict({"idle": "1d"}, **options)), PRUNE) == []
    for kind in ("session", "wait", "info"):
        assert problems(given(kind, name=["a", " b", "c d"]), RULES[kind]) == []
    assert problems(given("send", name="b c", text="x"), RULES["send"]) == []


@pytest.mark.parametrize("plan", [None, [], ["4711/5/$3/6"]])
def test_no_plan_is_not_an_empty_plan(plan: Optional[List[str]]) -> None:
    made = policy(checked(given("prune", planned=plan, planned_marks=plan), PRUNE))
    assert made.planned == made.planned_marks == (None if plan is None else frozenset(plan))


def test_who_writes_another_name_is_told_of_that_one() -> None:
    """A role has its own names for the options of its module."""
    wrong = given("prune", idle=None, timeout="5", users=["me"], socket_name="s", snapshot_colors=True)
    assert problems(wrong, PRUNE, "tmux_cleanup_") == [
        "tmux_cleanup_timeout: 5 has no unit; write 5s or 5m",
        "tmux_cleanup_users: it looks for all sockets; leave out tmux_cleanup_socket_name and tmux_cleanup_socket_path",
        "one of tmux_cleanup_idle, tmux_cleanup_older_than, tmux_cleanup_never_attached and tmux_cleanup_finished is "
        "required: "
        "without any, nothing says what to remove",
        "tmux_cleanup_snapshot_colors, tmux_cleanup_snapshot_keep and tmux_cleanup_allow_no_snapshot are about "
        "snapshots; they need tmux_cleanup_snapshot_dir",
    ]
    own = {"host_timeout": "1800", "fleet_max_percent": 101.0, "fleet_max_removals": -1}
    assert [said.split(":")[0] for said in problems(own, (), "tmux_cleanup_")] == [
        "tmux_cleanup_" + name for name in own
    ]


def test_limits_are_kept_by_the_keys_that_they_are_compared_with() -> None:
    known = given("info", include=["resources"], leak_above={"cpu_time": "1m", "memory": "2K", "processes": 0})
    limits = {"cpu_seconds": 60, "rss": 2048, "open_files": None, "processes": 0}
    assert checked(known, INFO)["leak_above"] == limits
