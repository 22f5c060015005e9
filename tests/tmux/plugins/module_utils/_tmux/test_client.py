# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is said to tmux arrives as it was meant, on every tmux there is."""

import itertools
import os
import signal
import stat
from pathlib import Path
from typing import Any, List, Tuple

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import to_text
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.client import Client
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.dialect import (
    Version,
    compared_literal,
    expanded_literal,
    script,
    unsuitable,
)
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.errors import (
    Failed,
    Hung,
    NoServer,
    TmuxError,
)
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE, eventually
from ansible_collections.fleet.tmux.tests.support.world import World
from hypothesis import given, settings
from hypothesis import strategies as st

# Text that is likely to hurt, mixed with any other.
_PIECES = st.sampled_from(
    list("#{}[](),;\"'`!?*=@%&|<>~^ -+_aA1S/") + ["##", "#{", "#[", "#(", "#S", "é", "🙂", "$", "\\"]
)
_NO_TEXT: Any = ("Cs",)
NASTY = st.lists(st.one_of(_PIECES, st.characters(blacklist_categories=_NO_TEXT)), max_size=20).map("".join)
NAMES = NASTY.filter(lambda name: unsuitable(name) is None)
WORDS = NASTY.filter(lambda word: "\0" not in word)


def test_states_of_a_server_are_told_apart(server: World) -> None:
    client = server.client()
    assert client.call([["list-sessions", "-F", "#{session_name}"]]) == b"first\n"
    with pytest.raises(Failed):
        client.call([["kill-session", "-t", "$99"]])
    with pytest.raises(Failed):
        client.call([["no-such-command"]])
    pid = server.pid()
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(Hung):
            server.client(0.2).call([["list-sessions"]])
    finally:
        os.kill(pid, signal.SIGCONT)
    server.tmux("kill-server")
    eventually(lambda: server.pid() == 0, "the server ends")
    with pytest.raises(NoServer):
        client.call([["list-sessions"]])
    os.unlink(server.path)
    with pytest.raises(NoServer):
        client.call([["list-sessions"]])
    assert client.calls == 5


def test_a_server_that_may_not_be_used_denies(server: World) -> None:
    client = server.client()
    if os.geteuid() == 0:
        client = Client(server.binary, server.path, User("stranger", 54321, 54322), True, PATIENCE)
        assert os.stat(server.binary).st_mode & stat.S_IXOTH, "other users cannot run %s" % server.binary
    else:
        os.chmod(server.path, 0)
    try:
        with pytest.raises(TmuxError) as caught:
            client.call([["list-sessions"]])
    finally:
        os.chmod(server.path, 0o600)
    assert caught.value.status == "denied"


def arrived(world: World, words: List[str]) -> List[str]:
    """The words that a process gets when tmux is told to run it with ``words``."""
    begin = ["sh", "-c", "read line", "sh"]
    command = ["new-session", "-d", "-P", "-F", "#{session_id} #{pane_pid}", "--"] + begin + words
    identity, pid = world.client().call([command]).decode("ascii").split()

    def arguments() -> List[str]:
        found = Path("/proc/%s/cmdline" % pid).read_bytes().split(b"\0")[:-1]
        return [os.fsdecode(word) for word in found] if found[:3] == [b"sh", b"-c", b"read line"] else []

    try:
        return eventually(arguments, "the shell runs")[len(begin) :]
    finally:
        world.tmux("kill-session", "-t", identity)


@settings(max_examples=20)
@given(st.lists(WORDS, min_size=1, max_size=6))
def test_words_arrive_as_they_are(shared: World, words: List[str]) -> None:
    assert arrived(shared, words) == words


def test_words_with_a_semicolon_at_the_end_arrive_as_they_are(shared: World) -> None:
    words = [";", "a;", "a;;", "\\;", "a\\;", "\\\\;", "; ", "a;b", "é;", ";;"]
    assert arrived(shared, words) == words


@settings(max_examples=20)
@given(st.lists(WORDS, min_size=1, max_size=5))
def test_words_of_a_script_arrive_as_they_are(shared: World, words: List[str]) -> None:
    variables = {"FLEET_%d" % number: word for number, word in enumerate(words)}
    path = os.path.join(shared.folder, "script")
    commands = [["set-environment", "-g", "--", name, word] for name, word in variables.items()]
    with open(path, "wb") as stream:
        stream.write(script(commands, shared.version))
    shared.client().call([["source-file", path]])
    from_script = shown_variables(shared, list(variables))
    shared.client().call(commands)
    assert from_script == shown_variables(shared, list(variables))


def shown_variables(world: World, names: List[str]) -> List[str]:
    """How tmux prints what it holds: some versions write some characters as escapes, but always the same way."""
    commands = [
        command for name in names for command in (["show-environment", "-g", name], ["display-message", "-p", _END])
    ]
    return to_text(world.client().call(commands)).split(_END + "\n")[:-1]


_END = "end-of-what-was-asked-for"


def test_a_tilde_or_a_semicolon_in_a_script_stays(shared: World) -> None:
    words = [
        "~",
        "~/x",
        "a:~",
        "~root",
        ";",
        "a;",
        "a\\;",
        "$HOME",
        "${HOME}",
        "\\n",
        "\n",
        "%if 1",
        "#{pid}",
        "'\"'",
        "",
    ]
    variables = {"FLEET_%d" % number: word for number, word in enumerate(words)}
    path = os.path.join(shared.folder, "script")
    with open(path, "wb") as stream:
        commands = [["set-environment", "-g", "--", name, word] for name, word in variables.items()]
        stream.write(script(commands, shared.version))
    shared.client().call([["source-file", path]])
    pid = shared.client().call(
        [["new-session", "-d", "-P", "-F", "#{session_id} #{pane_pid}", "--", "sh", "-c", "read x"]]
    )
    identity, number = pid.decode("ascii").split()
    try:
        environ = Path("/proc/%s/environ" % number)
        eventually(lambda: Path("/proc/%s/cmdline" % number).read_bytes()[:3] == b"sh\0", "the shell runs")
        held = dict(os.fsdecode(item).split("=", 1) for item in environ.read_bytes().split(b"\0")[:-1])
        assert {name: held[name] for name in variables} == variables
    finally:
        shared.tmux("kill-session", "-t", identity)


@settings(max_examples=25)
@given(st.lists(NAMES, min_size=1, max_size=7, unique=True))
def test_a_suitable_name_is_stored_as_it_is_and_compares_as_itself_only(shared: World, names: List[str]) -> None:
    client, version = shared.client(), shared.version
    begin = ["new-session", "-d", "-P", "-F", "#{session_id}", "-s"]
    names = [name for name in names if name != "first"] or ["other"]
    ids = client.call([begin + [expanded_literal(name, version), "cat"] for name in names]).decode("ascii").split()
    try:
        stored = {session.id: session.name for session in shared.listing().sessions}
        assert [stored[identity] for identity in ids] == names
        pairs = [
            (identity, other)
            for identity, other in itertools.product(ids, names)
            if version.at_least(2, 9) or not set("{}") & set(other)  # see _remove._same
        ]
        assert compare(client, version, pairs) == [stored[identity] == other for identity, other in pairs]
    finally:
        client.call([["kill-session", "-t", identity] for identity in ids])


def compare(client: Client, version: Version, pairs: List[Tuple[str, str]]) -> List[bool]:
    """What the server says to "is the name of this session that"."""
    commands = [
        [
            "if-shell",
            "-F",
            "-t",
            identity,
            "#{==:#{session_name},%s}" % compared_literal(name, version),
            "display-message -p same",
            "display-message -p other",
        ]
        for identity, name in pairs
    ]
    return [word == "same" for word in client.script(commands, version).decode("ascii").split()]


def test_a_name_runs_no_command(shared: World) -> None:
    mark = os.path.join(shared.folder, "ran")
    name = "#(touch %s)#{pid}#S" % mark.replace(".", "")
    words = ["new-session", "-d", "-P", "-F", "#{session_id}", "-s", expanded_literal(name, shared.version), "cat"]
    identity = shared.client().call([words]).decode("ascii").strip()
    try:
        compare(shared.client(), shared.version, [(identity, name)] * 20)
        shared.jobs_have_begun()
        assert shared.session(identity).name == name
        assert not os.path.exists(mark)
    finally:
        shared.tmux("kill-session", "-t", identity)
