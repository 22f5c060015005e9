# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is said to tmux arrives as it was meant, on every tmux there is; what tmux says is understood or refused."""

import itertools
import os
import signal
import stat
import tempfile
import unicodedata
from pathlib import Path
from typing import Any, List, Tuple, Type

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils import _tmux as tmux
from ansible_collections.fleet.tmux.plugins.module_utils._child import User
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import Client, TmuxError, Version
from ansible_collections.fleet.tmux.tests.unit.world import PATIENCE, World, eventually
from hypothesis import given, settings
from hypothesis import strategies as st

# Text that is likely to hurt, mixed with any other.
_PIECES = st.sampled_from(
    list("#{}[](),;\"'`!?*=@%&|<>~^ -+_aA1S/") + ["##", "#{", "#[", "#(", "#S", "é", "🙂", "$", "\\"]
)
_NO_TEXT: Any = ("Cs",)
NASTY = st.lists(st.one_of(_PIECES, st.characters(blacklist_categories=_NO_TEXT)), max_size=20).map("".join)
NAMES = NASTY.filter(lambda name: tmux.unsuitable(name) is None)
WORDS = NASTY.filter(lambda word: "\0" not in word)


# --- versions


@pytest.mark.parametrize(
    "text, expected",
    [
        ("tmux 3.3a", (3, 3, "a", "3.3a")),
        ("3.3a", (3, 3, "a", "3.3a")),
        ("tmux 2.7", (2, 7, "", "2.7")),
        ("tmux 2.7-rc", (2, 7, "", "2.7-rc")),
        ("tmux next-3.8", (3, 8, "", "next-3.8")),
        ("tmux 3.10b", (3, 10, "b", "3.10b")),
        ("tmux openbsd-7.4", (7, 4, "", "openbsd-7.4")),
    ],
)
def test_versions_are_read(text: str, expected: Tuple[int, int, str, str]) -> None:
    assert tuple(tmux.parse_version(text)) == expected


@pytest.mark.parametrize("text", ["tmux master", "", "nonsense"])
def test_a_version_without_a_number_is_newest(text: str) -> None:
    assert tmux.parse_version(text).at_least(50, 0)


def test_versions_compare_as_numbers() -> None:
    assert tmux.parse_version("3.10").at_least(3, 9)
    assert tmux.parse_version("3.2").at_least(3, 2)
    assert tmux.parse_version("4.0").at_least(3, 9)
    assert not tmux.parse_version("2.9").at_least(3, 0)
    assert not tmux.parse_version("3.1c").at_least(3, 2)


@given(st.text())
def test_no_version_is_too_odd(text: str) -> None:
    tmux.parse_version(text).at_least(3, 2)
    tmux.parse_version("9" * 5000 + "." + text)


# --- a tmux that we play ourselves


def fake(tmp_path: Path, text: str) -> str:
    program = tmp_path / "tmux"
    program.write_text("#!/bin/sh\n%s\n" % text)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return str(program)


def client_of(binary: str, timeout: float = PATIENCE) -> Client:
    return Client(binary, "/nowhere/s", User("me", os.geteuid(), os.getegid()), False, timeout)


@pytest.mark.parametrize("said", ["tmux 2.6", "tmux 1.8", "screen 4.9", "", "tmuxinator 3.0"])
def test_what_is_no_usable_tmux_is_refused(tmp_path: Path, said: str) -> None:
    with pytest.raises(TmuxError) as caught:
        tmux.client_version(fake(tmp_path, "echo '%s'" % said), PATIENCE)
    assert str(tmp_path / "tmux") in caught.value.message
    assert caught.value.cmd == [str(tmp_path / "tmux"), "-V"]


@pytest.mark.parametrize(
    "text, timeout", [("exit 1", PATIENCE), ("echo 'tmux 3.3'; exit 1", PATIENCE), ("sleep 99", 0.1)]
)
def test_a_binary_that_does_not_answer_well_is_refused(tmp_path: Path, text: str, timeout: float) -> None:
    with pytest.raises(TmuxError):
        tmux.client_version(fake(tmp_path, text), timeout)


def test_a_missing_binary_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TmuxError, match="cannot be run"):
        tmux.client_version(str(tmp_path / "none"), PATIENCE)
    with pytest.raises(TmuxError, match="cannot be run"):
        client_of(str(tmp_path / "none")).call([["list-sessions"]])


def test_the_version_of_a_binary_is_told(tmp_path: Path) -> None:
    assert tmux.client_version(fake(tmp_path, "echo 'tmux 3.4'"), PATIENCE) == Version(3, 4, "", "3.4")


@pytest.mark.parametrize(
    "said, kind, status",
    [
        ("no server running on /tmp/x", tmux.NoServer, "absent"),
        ("error connecting to /tmp/x (No such file or directory)", tmux.NoServer, "absent"),
        ("error connecting to /tmp/x (Permission denied)", tmux.Denied, "denied"),
        ("access not allowed", tmux.Denied, "denied"),
        ("directory /tmp/tmux-0 has unsafe permissions", tmux.Denied, "denied"),
        ("protocol version mismatch (client 8, server 7)", tmux.Mismatch, "mismatch"),
        ("server version is too old for client", tmux.Mismatch, "mismatch"),
        ("server exited unexpectedly", tmux.Lost, "unreachable"),
        ("lost server", tmux.Lost, "unreachable"),
        ("error connecting to /tmp/x (File name too long)", TmuxError, "unreachable"),
        ("can't find session: x", tmux.Failed, "ok"),
    ],
)
@pytest.mark.parametrize("status_of_exit", [0, 1])
def test_messages_are_understood_whatever_the_exit_status(
    tmp_path: Path, said: str, kind: Type[TmuxError], status: str, status_of_exit: int
) -> None:
    binary = fake(tmp_path, 'echo out; echo "%s" >&2; exit %d' % (said, status_of_exit))
    with pytest.raises(TmuxError) as caught:
        client_of(binary).call([["list-sessions"]])
    error = caught.value
    assert error.__class__ is kind
    assert (error.status, error.rc, error.stdout, error.stderr) == (status, status_of_exit, "out\n", said + "\n")
    assert error.message == "tmux: " + said
    assert error.cmd == [binary, "-u", "-S", "/nowhere/s", "list-sessions"]


def test_a_failure_without_a_word_is_one(tmp_path: Path) -> None:
    with pytest.raises(tmux.Failed, match="exit status 7"):
        client_of(fake(tmp_path, "exit 7")).call([["list-sessions"]])


def test_what_a_server_says_is_harmless_in_messages(tmp_path: Path) -> None:
    with pytest.raises(TmuxError) as caught:
        client_of(fake(tmp_path, r"printf 'a\033[2Jb\nc' >&2")).call([["list-sessions"]])
    assert caught.value.message == r"tmux: a\x1b[2Jb\x0ac"
    with pytest.raises(TmuxError) as caught:
        client_of(fake(tmp_path, "head -c 100000 /dev/zero | tr '\\0' x >&2")).call([["list-sessions"]])
    assert len(caught.value.message) < 1000


def test_a_flood_and_a_silence_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(tmux.Flood):
        client_of(fake(tmp_path, "exec yes")).call([["list-sessions"]])
    with pytest.raises(tmux.Hung) as caught:
        client_of(fake(tmp_path, "exec sleep 1000"), 0.1).call([["list-sessions"]])
    assert caught.value.status == "hung"


def test_a_call_gets_the_environment_of_the_account_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMUX", "/tmp/other,1,0")
    monkeypatch.setenv("FLEET_SECRET", "x")
    user = User("anna", os.geteuid(), os.getegid(), "/home/anna", "/bin/zsh")
    out = Client(fake(tmp_path, "tr '\\0' '\\n' < /proc/$$/environ"), "/s", user, False, PATIENCE).call([["x"]])
    names = {line.split("=")[0] for line in out.decode().splitlines()}
    assert names == {"HOME", "USER", "LOGNAME", "SHELL", "PATH", "LANG"}
    assert "HOME=/home/anna" in out.decode()


def test_the_client_is_never_more_than_its_account() -> None:
    user = User("stranger", 54321, 54322)
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        os.chmod(folder, 0o755)
        binary = fake(Path(folder), "id -u")
        os.chmod(binary, 0o755)
        became = Client(binary, "/s", user, True, PATIENCE).call([["x"]])
        stayed = Client(binary, "/s", user, False, PATIENCE).call([["x"]])
    assert int(became) == (54321 if os.geteuid() == 0 else os.geteuid())
    assert int(stayed) == os.geteuid()


# --- a real one


def test_states_of_a_server_are_told_apart(server: World) -> None:
    client = server.client()
    assert client.call([["list-sessions", "-F", "#{session_name}"]]) == b"first\n"
    with pytest.raises(tmux.Failed):
        client.call([["kill-session", "-t", "$99"]])
    with pytest.raises(tmux.Failed):
        client.call([["no-such-command"]])
    pid = server.pid()
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(tmux.Hung):
            server.client(0.2).call([["list-sessions"]])
    finally:
        os.kill(pid, signal.SIGCONT)
    server.tmux("kill-server")
    eventually(lambda: server.pid() == 0, "the server ends")
    with pytest.raises(tmux.NoServer):
        client.call([["list-sessions"]])
    os.unlink(server.path)
    with pytest.raises(tmux.NoServer):
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
        stream.write(tmux.script(commands, shared.version))
    shared.client().call([["source-file", path]])
    from_script = shown_variables(shared, list(variables))
    shared.client().call(commands)
    assert from_script == shown_variables(shared, list(variables))


def shown_variables(world: World, names: List[str]) -> List[str]:
    """How tmux prints what it holds: some versions write some characters as escapes, but always the same way."""
    commands = [
        command for name in names for command in (["show-environment", "-g", name], ["display-message", "-p", _END])
    ]
    return tmux.to_text(world.client().call(commands)).split(_END + "\n")[:-1]


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
        stream.write(tmux.script(commands, shared.version))
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


# --- names


@settings(max_examples=25)
@given(st.lists(NAMES, min_size=1, max_size=7, unique=True))
def test_a_suitable_name_is_stored_as_it_is_and_compares_as_itself_only(shared: World, names: List[str]) -> None:
    client, version = shared.client(), shared.version
    begin = ["new-session", "-d", "-P", "-F", "#{session_id}", "-s"]
    names = [name for name in names if name != "first"] or ["other"]
    ids = client.call([begin + [tmux.expanded_literal(name, version), "cat"] for name in names]).decode("ascii").split()
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
            "#{==:#{session_name},%s}" % tmux.compared_literal(name, version),
            "display-message -p same",
            "display-message -p other",
        ]
        for identity, name in pairs
    ]
    return [word == "same" for word in client.script(commands, version).decode("ascii").split()]


@pytest.mark.parametrize(
    "text, version, expanded, compared",
    [
        ("#(id)#{x}#S", "2.7", "##(id)##{x}##S", "##(id)##{x}##S"),
        ("#(id),}", "3.0a", "##(id),}", "##(id)#,#}"),
        ("#[x]##[#", "3.1c", "##[x]####[##", "##[x]####[##"),
        ("#[x]##[#,", "3.2", "#[x]##[##,", "#[x]##[###,"),
        ("a,b", "2.7", "a,b", "a,b"),
    ],
)
def test_what_would_be_expanded_is_escaped_as_each_tmux_wants_it(
    text: str, version: str, expanded: str, compared: str
) -> None:
    assert tmux.expanded_literal(text, tmux.parse_version(version)) == expanded
    assert tmux.compared_literal(text, tmux.parse_version(version)) == compared


def test_a_name_runs_no_command(shared: World) -> None:
    mark = os.path.join(shared.folder, "ran")
    name = "#(touch %s)#{pid}#S" % mark.replace(".", "")
    words = ["new-session", "-d", "-P", "-F", "#{session_id}", "-s", tmux.expanded_literal(name, shared.version), "cat"]
    identity = shared.client().call([words]).decode("ascii").strip()
    try:
        compare(shared.client(), shared.version, [(identity, name)] * 20)
        shared.tmux("run-shell", "true")
        assert shared.session(identity).name == name
        assert not os.path.exists(mark)
    finally:
        shared.tmux("kill-session", "-t", identity)


def test_names_that_some_tmux_rewrites_are_refused() -> None:
    refused = [
        "",
        "a:b",
        "a.b",
        "a\\b",
        "$x",
        "a$",
        "a\nb",
        "a\tb",
        "\x1b[0m",
        "\x7f",
        "\x85",
        "\udcff",
        "\u2028",
        "\u0378",
    ]
    assert [name for name in refused if not tmux.unsuitable(name)] == []
    accepted = ["build", "a b", "#{x}", "-s", "=x", "@1", "%1", "é", "🙂", "a;", "'\"'", "{}", "x" * 300, " ", "#(id)"]
    assert [name for name in accepted if tmux.unsuitable(name)] == []


# --- what is shown


@given(st.text(st.characters()), st.booleans())
def test_what_is_shown_is_harmless(text: str, lines: bool) -> None:
    text += "\udc9b\x9b\u202e\r"
    shown = tmux.shown(text, lines)
    shown.encode("utf-8")
    bad = {char for char in shown if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")}
    assert bad <= ({"\n", "\t"} if lines else set())
    assert not set(shown) & set("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u061c")


@given(st.text(st.characters(blacklist_categories=("Cc", "Cs", "Cf", "Cn", "Co", "Zl", "Zp"))))
def test_harmless_text_is_shown_as_it_is(text: str) -> None:
    assert tmux.shown(text) == text


def test_escapes_say_what_was_there() -> None:
    assert tmux.shown("a\x1b\udcff\u202eb\nc\t") == "a\\x1b\\xff\\u202eb\\x0ac\\x09"
    assert tmux.shown("a\nb\tc\x1b", lines=True) == "a\nb\tc\\x1b"


@given(st.binary())
def test_bytes_survive_being_text(data: bytes) -> None:
    assert tmux.to_text(data).encode("utf-8", "surrogateescape") == data
