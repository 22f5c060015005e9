# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the integration tests do and see without the collection. Standard library only, Python 3.6 and later.

    tool.py COMMAND [ARGUMENT ...]

Everything it starts is noted in the directory of this file, and ended by `end`, by process id and start time.
TMUX_PROGRAM in the environment names the tmux to use.
"""

import ctypes
import fcntl
import functools
import json
import os
import pty
import signal
import socket
import stat
import struct
import subprocess
import sys
import termios
import time

HERE = os.path.dirname(os.path.abspath(__file__))
HOME = os.path.join(HERE, "home")
NOTES = os.path.join(HERE, "started")
PATIENCE = 120.0
"""Seconds that anything may take before a test gives up: nothing ever waits for that long when all is well."""


def until(what, look):
    """Poll until ``look`` returns something that is true."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    sys.exit("waited in vain for: %s" % what)


def tmux(sock, *words):
    """What plain tmux prints."""
    environ = {key: value for key, value in os.environ.items() if key not in ("TMUX", "TMUX_TMPDIR")}
    argv = [os.environ.get("TMUX_PROGRAM") or "tmux", "-u", "-S", sock]
    done = subprocess.run(
        argv + list(words),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environ,
        check=False,
    )
    return done.stdout.decode("utf-8", "surrogateescape") if done.returncode == 0 else ""


def table(sock, command, fields):
    """Rows of a listing, each a dictionary; the last field may hold anything."""
    text = tmux(sock, *(command + ["-F", "|".join("#{%s}" % field for field in fields)]))
    return [dict(zip(fields, line.split("|", len(fields) - 1))) for line in text.splitlines()]


def read(path):
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except OSError:
        return b""


def server_of(sock):
    """The pid of who listens at a socket, or None."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(1)
        connection.connect(sock)
        peer = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        return struct.unpack("3i", peer)[0]
    except OSError:
        return None
    finally:
        connection.close()


def status_of(pid):
    """The state letter and the start time of a process."""
    fields = read("/proc/%d/stat" % pid).decode("utf-8", "replace").rpartition(")")[2].split()
    return (fields[0], fields[19]) if fields else (None, None)


def note(pid):
    with open(NOTES, "a") as stream:
        stream.write("%d %s\n" % (pid, status_of(pid)[1]))


def background(work):
    """Run ``work`` in a process of its own that holds nothing of ours; the pid, when it has said that it is ready."""
    ready, told = os.pipe()
    pid = os.fork()
    if pid:
        os.close(told)
        said = os.read(ready, 64)
        if not said:
            sys.exit("what was to run in the background has ended")
        note(int(said))
        return int(said)
    os.setsid()
    if os.fork():
        os._exit(0)
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)

    def tell(who=None):
        os.write(told, b"%d" % (who or os.getpid()))
        os.close(told)

    try:
        work(tell)
    finally:
        os._exit(1)


# --- looking ----------------------------------------------------------------------------------------------------------


def raw(sock):
    """Who is there: the sessions by name, with what never moves, and the pid of the server."""
    sessions = {}
    for row in table(sock, ["list-sessions"], ["session_id", "session_created", "session_attached", "session_name"]):
        sessions[row.pop("session_name")] = row
    print(json.dumps({"names": sorted(sessions), "sessions": sessions, "server": server_of(sock)}, sort_keys=True))


def clocks(sock):
    """All clocks of all sessions."""
    fields = ["session_activity", "session_last_attached", "window_activity", "session_name"]
    print(json.dumps(table(sock, ["list-windows", "-a"], fields), sort_keys=True))


def panes(sock):
    """The panes by session, each with its process."""
    numbers = ["session_id", "pane_pid", "pane_dead", "window_width", "window_height", "window_name"]
    rows = table(sock, ["list-sessions"], ["session_id", "session_name"])
    names = {row["session_id"]: row["session_name"] for row in rows}
    parent = server_of(sock)
    found = {}
    for row in table(sock, ["list-panes", "-a"], numbers):
        pid = int(row["pane_pid"] or 0)
        until("the pane runs its command", functools.partial(differ, pid, parent))
        row["argv"] = read("/proc/%d/cmdline" % pid).decode("utf-8", "surrogateescape").split("\0")[:-1]
        row["environ"] = environ_of(pid)
        row["cwd"] = os.readlink("/proc/%d/cwd" % pid) if os.path.exists("/proc/%d" % pid) else None
        row["session_environment"] = tmux(sock, "show-environment", "-t", row["session_id"]).splitlines()
        found[names[row["session_id"]]] = row
    print(json.dumps(found, sort_keys=True))


def differ(pid, parent):
    """Whether a process runs another program than its parent, which it does not when it has only just been made."""
    try:
        return os.readlink("/proc/%d/exe" % pid) != os.readlink("/proc/%d/exe" % parent)
    except OSError:
        return True


def environ_of(pid):
    text = read("/proc/%d/environ" % pid).decode("utf-8", "surrogateescape")
    return dict(pair.partition("=")[::2] for pair in text.split("\0") if pair)


OWN_FILES = ("/dev/null", "/dev/ptmx", "/dev/pts/ptmx", "/proc/", "socket:", "anon_inode:")
"""What a server has open itself: nothing, its panes' terminals, what it looks up of them, its clients and events."""


def files_of(pid):
    """What a process has open; what it closes meanwhile is left out."""
    folder = "/proc/%d/fd" % pid
    found = []
    for number in os.listdir(folder):
        try:
            found.append(os.readlink(os.path.join(folder, number)))
        except OSError:
            continue
    return sorted(found)


def own(target, files):
    """Whether a server has opened a file itself; of a pipe of its own it has both ends."""
    return target.startswith(OWN_FILES) or (target.startswith("pipe:") and files.count(target) == 2)


def server(sock):
    """What a server lives with."""
    pid = server_of(sock)
    if pid is None:
        sys.exit("no server at %s" % sock)
    files = files_of(pid)
    found = {
        "pid": pid,
        "environ": environ_of(pid),
        "global": tmux(sock, "show-environment", "-g").splitlines(),
        "cwd": os.readlink("/proc/%d/cwd" % pid),
        "leads_its_session": os.getsid(pid) == pid,
        "files": [target for target in files if not own(target, files)],
    }
    print(json.dumps(found, sort_keys=True))


def shown():
    """The processes that show the text on our standard input among their arguments."""
    text = sys.stdin.buffer.read().strip()
    if not text:
        sys.exit("nothing to look for")
    found = [pid for pid in os.listdir("/proc") if pid.isdigit() and text in read("/proc/%s/cmdline" % pid)]
    print(json.dumps(found))


def untrue():
    """Where a result of check mode says something else than the result of the run; null promises nothing."""
    check, run = json.load(sys.stdin)
    print(json.dumps(sorted(differences(check, run, "result"))))


MOVING = {"idle", "output"}
"""Of which each moment has its own: what was started just now may still print."""


def differences(check, run, place):
    if isinstance(check, dict) and isinstance(run, dict):
        return differences_of_keys(check, run, place)
    if isinstance(check, list) and isinstance(run, list):
        found = [] if len(check) == len(run) else ["the length of %s" % place]
        for pair in zip(check, run):
            found += differences(pair[0], pair[1], place)
        return found
    return [] if check is None or check == run else ["%s: %r is %r" % (place, check, run)]


def differences_of_keys(check, run, place):
    found = [] if set(check) == set(run) else ["the keys of %s" % place]
    for key in set(check) & set(run) - MOVING:
        found += differences(check[key], run[key], "%s.%s" % (place, key))
    return found


# --- doing ------------------------------------------------------------------------------------------------------------


def spy(path, real):
    """Make a program that runs ``real`` and writes down all arguments it was given."""
    with open(path, "w") as stream:
        stream.write('#!/bin/sh\nprintf "%%s\\n" "$*" >>%s.log\nexec %s "$@"\n' % (path, real))
    os.chmod(path, 0o755)


def attach(sock, name):
    """Attach a client, that reads what it is shown and says nothing."""
    rows = table(sock, ["list-sessions"], ["session_id", "session_name"])
    (identity,) = [row["session_id"] for row in rows if row["session_name"] == name]
    program = os.environ.get("TMUX_PROGRAM") or "tmux"

    def work(tell):
        pid, terminal = pty.fork()
        if pid == 0:
            os.environ.pop("TMUX", None)
            os.environ["TERM"] = "xterm"
            os.execvp(program, [program, "-u", "-S", sock, "attach-session", "-t", identity])
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("4H", 24, 80, 0, 0))
        tell()
        try:
            while os.read(terminal, 65536):
                pass
        except OSError:
            pass
        os.waitpid(pid, 0)

    background(work)
    until("the client is attached", lambda: tmux(sock, "list-clients", "-t", identity))


def stop(sock):
    """Stop a server, as a person does with kill -STOP."""
    pid = server_of(sock)
    os.kill(pid, signal.SIGSTOP)
    until("the server has stopped", lambda: status_of(pid)[0] == "T")


def resume(sock):
    """Let a stopped server go on."""
    os.kill(server_of(sock), signal.SIGCONT)
    until("the server answers", lambda: tmux(sock, "list-sessions"))


def listen(sock, manner):
    """Listen like a server that is none: `silent`, `flood` or `nonsense`."""

    def work(tell):
        # As tmux does: whom the kernel names as the one that listens is the process that stays.
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(sock)
        listener.listen(16)
        tell()
        held = []
        while True:
            held.append(listener.accept()[0])
            if manner == "nonsense":
                say(held.pop(), b"\xff\x07Who are you?\n" * 64)
            elif manner == "flood":
                flood(held.pop())

    background(work)


def say(connection, data):
    """Say something to who may have hung up already."""
    try:
        connection.sendall(data)
    except OSError:
        pass
    connection.close()


def flood(connection):
    """Print without end through the client: messages of tmux's own protocol (8), one after the other."""
    message = b"A" * 8000
    kinds = {"write_open": 303, "write": 304}  # tmux-protocol.h: a client from 3.2 on writes what it is told to
    opened = struct.pack("=iii", 1, 1, 0) + b"-\0"
    sent = packet(kinds["write_open"], opened) + packet(kinds["write"], struct.pack("=i", 1) + message) * 16
    try:
        connection.recv(65536)
        while True:
            connection.sendall(sent)
            connection.settimeout(5)
    except OSError:
        connection.close()


def packet(kind, data):
    return struct.pack("=IHHII", kind, 16 + len(data), 0, 8, os.getpid()) + data


def idle(sock, name, seconds):
    """Wait until tmux's own clocks say that nothing has happened in a session for so long."""
    fields = ["session_activity", "session_last_attached", "window_activity", "session_created", "session_name"]

    def look():
        rows = [row for row in table(sock, ["list-windows", "-a"], fields) if row["session_name"] == name]
        newest = max(int(row[field] or 0) for row in rows for field in fields[:-1])
        return time.time() - newest >= float(seconds)

    until("%s is idle" % name, look)


def gone(sock):
    """Wait until nobody listens at a socket any more."""
    until("the server has ended", lambda: server_of(sock) is None)


def dead(sock, name):
    """Wait until the command of a session has ended, and tmux knows."""

    def look():
        # tmux 3.3a sometimes does not notice how one process has ended until another one does.
        tmux(sock, "run-shell", "-b", ":")
        rows = table(sock, ["list-panes", "-a"], ["pane_dead", "pane_dead_status", "session_name"])
        return [
            row for row in rows if row["session_name"] == name and row["pane_dead"] == "1" and row["pane_dead_status"]
        ]

    until("%s is dead" % name, look)


def runs(sock, pane, *argv):
    """Wait until a pane's process runs exactly this, and what it has printed before is shown."""

    def look():
        pid = tmux(sock, "list-panes", "-t", pane, "-F", "#{pane_pid}").strip()
        return read("/proc/%s/cmdline" % pid) == "".join(word + "\0" for word in argv).encode()

    until("%s runs %s" % (pane, argv[0]), look)


def says(sock, pane):
    """Wait until a pane shows something, as a shell its prompt."""
    until("%s says something" % pane, lambda: tmux(sock, "capture-pane", "-p", "-t", pane).strip())


# --- a private world --------------------------------------------------------------------------------------------------


def world(python):
    """Make a namespace with its own /tmp, processes and home of root, and an interpreter in there. Needs root."""
    files = {name: read(os.path.join(HERE, name)) for name in ("tool.py",)}
    inside = os.path.join(HERE, "python-inside")

    def work(tell):
        unshare(0x00020000 | 0x20000000)  # CLONE_NEWNS, CLONE_NEWPID: for the children
        ready, told = os.pipe()
        pid = os.fork()
        if pid:
            os.close(told)
            if os.read(ready, 64):
                tell(pid)
            os.waitpid(pid, 0)
            return
        mounts()
        os.mkdir(HERE, 0o700)
        home()
        for name, data in files.items():
            with open(os.path.join(HERE, name), "wb") as stream:
                stream.write(data)
        wrapper(inside, "exec %s" % python)
        os.write(told, b"ready")
        os.close(told)
        reap()

    pid = background(work)
    wrapper(inside, "exec nsenter --target %d --mount --pid -- %s" % (pid, python))


def unshare(flags):
    library = ctypes.CDLL(None, use_errno=True)
    if library.unshare(flags) != 0:
        raise OSError(ctypes.get_errno(), "unshare")


def mounts():
    for words in (
        ["--make-rprivate", "/"],
        ["-t", "proc", "proc", "/proc"],
        ["-t", "tmpfs", "-o", "mode=1777", "tmpfs", "/tmp"],
    ):
        subprocess.run(["mount"] + words, check=True)
    os.chdir("/")


def home():
    """Give root a home in there: what is left in it, like records of jobs, would else be found by the next run."""
    os.mkdir(HOME, 0o700)
    accounts = [line.split(":") for line in read("/etc/passwd").decode().splitlines()]
    lines = [":".join(one[:5] + [HOME] + one[6:] if one[0] == "root" else one) for one in accounts]
    path = os.path.join(HERE, "passwd")
    with open(path, "w") as stream:
        stream.write("\n".join(lines) + "\n")
    os.chmod(path, 0o644)
    subprocess.run(["mount", "--bind", path, "/etc/passwd"], check=True)


def wrapper(path, text):
    with open(path, "w") as stream:
        stream.write('#!/bin/sh\n%s "$@"\n' % text)
    os.chmod(path, 0o755)


def reap():
    """What process 1 is for."""
    while True:
        try:
            os.wait()
        except OSError:
            time.sleep(0.02)


# --- ending -----------------------------------------------------------------------------------------------------------


def end():
    """End everything that was started: what is noted, and who listens at a socket in our directory."""
    for line in read(NOTES).decode().splitlines():
        pid, started = line.split()
        kill(int(pid), started)
    for folder, _folders, names in os.walk(HERE):
        for name in names:
            path = os.path.join(folder, name)
            if stat.S_ISSOCK(os.lstat(path).st_mode):
                os.chmod(path, 0o600)
                pid = server_of(path)
                if pid:
                    kill(pid, status_of(pid)[1])


def kill(pid, started):
    if status_of(pid)[1] != started:
        return
    for number in (signal.SIGTERM, signal.SIGCONT, signal.SIGKILL):
        try:
            os.kill(pid, number)
        except OSError:
            return
        deadline = time.monotonic() + (0 if number == signal.SIGTERM else 2)
        while time.monotonic() < deadline and status_of(pid)[0] not in (None, "Z"):
            time.sleep(0.02)
    until("process %d has ended" % pid, lambda: status_of(pid)[0] in (None, "Z") or status_of(pid)[1] != started)


COMMANDS = (
    raw,
    clocks,
    panes,
    server,
    shown,
    untrue,
    spy,
    attach,
    stop,
    resume,
    listen,
    idle,
    gone,
    dead,
    runs,
    says,
    world,
    end,
)

if __name__ == "__main__":
    {command.__name__: command for command in COMMANDS}[sys.argv[1]](*sys.argv[2:])
