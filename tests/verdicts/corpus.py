# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sessions as people leave them behind, each with the verdict that a careful administrator would reach, and why.

The rows were written down before the code that judges them. Time is scaled down: a session is idle after ``IDLE``
seconds, and whatever a live one does happens every ``PERIOD`` seconds.

A program is what its user would call it: an interpreter counts where it is used at its prompt, a script by its own
name. None is in more than two rows.
"""

import os
import shutil
from typing import Dict, List, NamedTuple, Tuple

IDLE = 20
PERIOD = 7

LIVE = "live"
ABANDONED = "abandoned"
OPEN = "open"
"""It could go either way, or nobody with that right could know: shown, and not counted."""

ALICE = "alice"
HIDDEN = "bob"
"""Sees only the processes that the kernel says are his own (``hidepid=2``)."""
CLOSED = "dave"
"""His home refuses everybody but root once all is set up, as one on a network file system does without a ticket."""


class Step(NamedTuple):
    """Something that is done to set a session up. ``do`` says what with ``text``."""

    do: str
    text: str


def line(text: str) -> Step:
    """Type that, and Enter. Wait for a program's prompt before the first line: some drop what was typed before it."""
    return Step("line", text)


def text(text: str) -> Step:
    """Type that."""
    return Step("text", text)


def press(*keys: str) -> Step:
    """Press keys that have a name."""
    return Step("press", " ".join(keys))


def see(pattern: str) -> Step:
    """Wait until the screen shows it."""
    return Step("see", pattern)


def runs(pattern: str) -> Step:
    """Wait until the program in the foreground is called like that."""
    return Step("runs", pattern)


def holds(command: str) -> Step:
    """Wait until this command, run by the owner in the session's folder, succeeds."""
    return Step("holds", command)


def outside(command: str) -> Step:
    """Start something that belongs to the owner, in the session's folder, and to no session."""
    return Step("outside", command)


class Row(NamedTuple):
    """One session. ``also``: further ones that come with it, of the same verdict.

    ``within``: the session in whose pane it is set up, where that is another one, which is not counted.
    """

    name: str
    program: str
    kind: str
    verdict: str
    why: str
    steps: Tuple[Step, ...]
    shell: str = "bash"
    files: Tuple[Tuple[str, str], ...] = ()
    also: Tuple[str, ...] = ()
    within: str = ""
    owner: str = ALICE
    without_root: str = ""
    """The verdict for its owner, who may look at less, where that is another one."""
    unforeseen: bool = False
    """Of a kind that nobody had looked at when the rules were made."""

    def expected(self, root: bool) -> str:
        return self.verdict if root else self.without_root or self.verdict


NOTES = (("notes.txt", "the first line\n"),)
LONG = (("long.txt", "".join("line %d of a long text\n" % number for number in range(500))),)
LOOP = "while :; do sleep 7; test -e finished; done"
LOG = (("app.log", "start\n"),)
WORK = (("work.sh", "while :; do\n  sleep 7\n  test -e finished\ndone\n"),)
NIGHTLY = "import threading\nthreading.Timer(86400, lambda: open('done', 'w')).start()\n"
REMINDER = "$SIG{ALRM} = sub { print qq(now) }; alarm 86400; select undef, undef, undef, undef;\n"
REPORTER = """import asyncio
async def report():
    _reader, _writer = await asyncio.open_connection("127.0.0.1", 8109)
    open("connected", "w")
    await asyncio.sleep(86400)
    open("report", "w")
asyncio.run(report())
"""
WATCH = """import ctypes, os
libc = ctypes.CDLL(None)
changes = libc.inotify_init()
libc.inotify_add_watch(changes, b"inbox", 0x100)
"""
IMPORTER = WATCH + "while os.read(changes, 4096):\n    os.system('echo import >> log')\n"
DEV_SERVER = (
    WATCH
    + """import http.server, select
server = http.server.HTTPServer(("127.0.0.1", 8110), http.server.SimpleHTTPRequestHandler)
print("serves", flush=True)
while True:
    for ready in select.select([server, changes], [], [])[0]:
        server.handle_request() if ready is server else os.read(changes, 4096)
"""
)
RAIN = """#!/usr/bin/python3
import time
while True:
    time.sleep(7)
    open("rain.dat", "w").write("wet")
"""
STEPS = """i=0
while [ $i -lt 100000 ]; do
  i=$((i + 1))
  echo step $i
  sleep 0.2
done
"""
PATIENT = "import select\nselect.poll().poll(86400000)\nopen('done', 'w')\n"
HEADLESS = """import ctypes, threading, time
def work():
    open("begun", "w")
    time.sleep(86400)
    open("done", "w")
threading.Thread(target=work).start()
ctypes.CDLL(None).pthread_exit(None)
"""
SCHEDULER = """import selectors, socket
listener = socket.create_server(("127.0.0.1", 8111))
found = selectors.DefaultSelector()
found.register(listener, selectors.EVENT_READ)
while True:
    for key, _events in found.select():
        if key.fileobj is listener:
            worker = listener.accept()[0]
            worker.sendall(b"simulate")
            found.register(worker, selectors.EVENT_READ)
            open("given", "w")
        elif not key.fileobj.recv(1000):
            raise SystemExit
"""
WORKER = (
    "import socket, time\nworker = socket.create_connection(('127.0.0.1', 8111))\nworker.recv(9)\ntime.sleep(86400)\n"
)
APP = """import asyncio
async def answer(_reader, writer):
    writer.close()
async def app():
    await asyncio.start_server(answer, "127.0.0.1", 8112)
    print("serves", flush=True)
    await asyncio.sleep(40000)
    open("backup", "w")
asyncio.run(app())
"""
SOMEBODY = outside("sh -c 'echo $$ > outside.pid; while :; do sleep 7; done'")

EDITORS = [
    Row(
        "vim-unsaved",
        "vim",
        "editor",
        LIVE,
        "What was typed is nowhere else.",
        (
            line("vim notes.txt"),
            see("the first line"),
            press("i"),
            text("not saved "),
            press("Escape"),
            see("not saved"),
        ),
        files=NOTES,
    ),
    Row(
        "vim-saved",
        "vim",
        "editor",
        ABANDONED,
        "The file is on disk as it is on the screen.",
        (
            line("vim notes.txt"),
            see("the first line"),
            press("i"),
            text("was saved "),
            press("Escape"),
            line(":w"),
            see("written"),
        ),
        files=NOTES,
    ),
    Row(
        "nvim-unsaved-closed-home",
        "nvim",
        "home that refuses",
        LIVE,
        "What was typed is nowhere else, and where the editor keeps its state cannot be read any more.",
        (
            line("nvim notes.txt"),
            see("the first line"),
            press("i"),
            text("not saved "),
            press("Escape"),
            see("not saved"),
        ),
        files=NOTES,
        owner=CLOSED,
    ),
    Row(
        "nvim-saved",
        "nvim",
        "editor",
        ABANDONED,
        "The file is on disk as it is on the screen.",
        (
            line("nvim notes.txt"),
            see("the first line"),
            press("i"),
            text("was saved "),
            press("Escape"),
            line(":w"),
            see("written"),
        ),
        files=NOTES,
    ),
    Row(
        "nano-unsaved",
        "nano",
        "editor",
        LIVE,
        "What was typed is nowhere else.",
        (line("nano notes.txt"), see("the first line"), text("not saved "), see("not saved")),
        files=NOTES,
    ),
    Row(
        "nano-saved",
        "nano",
        "editor",
        ABANDONED,
        "The file is on disk as it is on the screen.",
        (
            line("nano notes.txt"),
            see("the first line"),
            text("was saved "),
            see("was saved"),
            press("C-o", "Enter"),
            see("Wrote"),
        ),
        files=NOTES,
    ),
    Row(
        "emacs-unsaved",
        "emacs",
        "editor",
        LIVE,
        "What was typed is nowhere else.",
        (line("emacs -nw -Q notes.txt"), see("the first line"), text("not saved "), see("not saved")),
        files=NOTES,
    ),
    Row(
        "emacs-saved",
        "emacs",
        "editor",
        ABANDONED,
        "The file is on disk as it is on the screen.",
        (
            line("emacs -nw -Q notes.txt"),
            see("the first line"),
            text("was saved "),
            see("was saved"),
            press("C-x", "C-s"),
            see("Wrote"),
        ),
        files=NOTES,
    ),
    Row(
        "joe-unsaved",
        "joe",
        "editor of another family",
        LIVE,
        "What was typed is nowhere else.",
        (line("joe notes.txt"), see("the first line"), text("not saved "), see("not saved")),
        files=NOTES,
        unforeseen=True,
    ),
    Row(
        "joe-saved",
        "joe",
        "editor of another family",
        OPEN,
        "Nothing on the host tells whether its text is saved but the screen, in words of its own.",
        (line("joe notes.txt"), see("the first line")),
        files=NOTES,
        unforeseen=True,
    ),
    Row(
        "ed-unsaved",
        "ed",
        "editor of another family",
        LIVE,
        "What was typed is nowhere else.",
        (line("ed notes.txt"), see("15"), line("a"), line("not saved"), line("."), line("="), see("^2$")),
        files=NOTES,
        unforeseen=True,
    ),
    Row(
        "mcedit-unsaved",
        "mcedit",
        "editor of another family",
        LIVE,
        "What was typed is nowhere else.",
        (line("mcedit notes.txt"), see("the first line"), text("not saved "), see("not saved")),
        files=NOTES,
        unforeseen=True,
    ),
]

WORKERS = [
    Row(
        "poll-loop",
        "bash",
        "loop",
        LIVE,
        "It looks for something every few seconds and says nothing.",
        (line(LOOP), runs("sleep")),
    ),
    Row(
        "job-log",
        "dash",
        "script that logs",
        LIVE,
        "It writes to a log.",
        (line("dash job.sh"), holds("test -s job.log")),
        files=(("job.sh", "while :; do\n  echo step >> job.log\n  sleep 7\ndone\n"),),
    ),
    Row(
        "training",
        "train",
        "writes a file it holds open",
        LIVE,
        "It saves a checkpoint now and then, and says nothing.",
        (line("$HELPERS/train train.log"), holds("test -s train.log")),
    ),
    Row(
        "pool",
        "pool",
        "worker in a thread",
        LIVE,
        "Its first thread waits for one that looks for work every few seconds.",
        (line("$HELPERS/pool"), runs("pool|python.*")),
        unforeseen=True,
    ),
    Row(
        "poller",
        "poller",
        "poller in one process",
        LIVE,
        "It starts nothing, writes nothing and says nothing; it waits in the kernel until its time comes.",
        (line("$HELPERS/poller"), runs("poller|perl")),
        unforeseen=True,
    ),
    Row(
        "timer-in-a-thread",
        "nightly",
        "waits for a time",
        LIVE,
        "Its time has not come. A thread waits for it, and the first one for that.",
        (line("python3 nightly.py"), runs("python.*")),
        files=(("nightly.py", NIGHTLY),),
        unforeseen=True,
    ),
    Row(
        "alarm-set",
        "reminder",
        "waits for a time",
        LIVE,
        "Its time has not come. It has asked for a signal then, and nobody is told when that is.",
        (line("perl reminder.pl"), runs("perl|reminder.pl")),
        files=(("reminder.pl", REMINDER),),
        unforeseen=True,
    ),
    Row(
        "connected-till-tomorrow",
        "reporter",
        "waits for a time",
        LIVE,
        "Its time has not come. Until then nothing goes over the connection that it has made.",
        (line("python3 reporter.py"), holds("test -e connected")),
        files=(("reporter.py", REPORTER),),
    ),
    Row(
        "make-steps",
        "make",
        "build",
        LIVE,
        "It goes from step to step.",
        (line("make -s"), runs("make|sleep|sh")),
        files=(("Makefile", "all:\n" + "\t@sleep 7\n" * 200),),
    ),
    Row(
        "xargs-batch",
        "xargs",
        "batch",
        LIVE,
        "It works on one after the other.",
        (line("seq 100000 | xargs -n 1 sh -c 'sleep 7' > /dev/null"), holds("pgrep -u $(id -u) -x xargs")),
        unforeseen=True,
    ),
    Row(
        "timeout-until",
        "timeout",
        "wait with a limit",
        LIVE,
        "It waits for something that may still happen.",
        (line("timeout 5h sh -c 'until test -e finished; do sleep 7; done'"), runs("timeout|sleep|sh")),
        unforeseen=True,
    ),
    Row(
        "nightly-parts",
        "mksh",
        "script that waits for its parts",
        LIVE,
        "Its parts work in the background.",
        (line("mksh nightly"), runs("mksh")),
        files=(("nightly", "part() { while :; do sleep 7; done; }\npart &\npart &\nwait\n"),),
        unforeseen=True,
    ),
    Row(
        "fish-script",
        "fish",
        "loop",
        LIVE,
        "It looks for something every few seconds.",
        (line("fish -c 'while true; sleep 7; end'"), runs("fish|sleep")),
    ),
    Row(
        "zsh-background",
        "zsh",
        "background job of a shell",
        LIVE,
        "The shell is at its prompt, and its job works.",
        (line("(while :; do sleep 7; done) &"), see("%|\\$")),
        shell="zsh",
    ),
    Row(
        "nohup-simulation",
        "nohup",
        "background job of a shell",
        LIVE,
        "It works, whatever becomes of the terminal.",
        (line("nohup sh work.sh > out.log 2>&1 &"), see("\\[1\\]")),
        files=WORK,
    ),
    Row(
        "screen-working",
        "screen",
        "terminal in a terminal",
        LIVE,
        "Somebody's loop runs in there.",
        (line("screen"), see("in screen"), line(LOOP), see("while")),
        unforeseen=True,
    ),
    Row(
        "script-deploy",
        "script",
        "recorded job",
        LIVE,
        "What it records goes on.",
        (line("script -q -c 'sh work.sh' deploy.typescript"), runs("script|sleep|sh")),
        files=WORK,
        unforeseen=True,
    ),
    Row(
        "detached-container",
        "conman",
        "container with a monitor",
        LIVE,
        "The command has come back, and what it started works on with an environment of its own.",
        (line("$HELPERS/conman sh work.sh"), see("started")),
        files=WORK,
    ),
    Row(
        "sudo-job",
        "sudo",
        "job of root",
        LIVE,
        "Root works for somebody.",
        (line("sudo sh -c 'while :; do sleep 7; done'"), holds("pgrep -u 0 -f 'while :; do sleep 7'")),
    ),
    Row(
        "database-in-wal-mode",
        "sqlite3 with a log",
        "transaction that is not committed",
        LIVE,
        "What was inserted is nowhere else.",
        (
            line("sqlite3 a.db"),
            see("sqlite>"),
            line("PRAGMA journal_mode=wal;"),
            see("^wal"),
            line("CREATE TABLE t(x); BEGIN; INSERT INTO t VALUES(1); SELECT 'in' || 'side';"),
            see("^inside"),
        ),
        unforeseen=True,
    ),
    Row(
        "driven-ssh",
        "driver.py",
        "script that drives another program",
        LIVE,
        "It types into a shell on another host, and waits for what that says.",
        (line("python3 driver.py"), holds("test -e ~/driving")),
        files=(
            (
                "driver.py",
                "import os, pty\n"
                "pid, master = pty.fork()\n"
                "if pid == 0:\n"
                "    os.execvp('ssh', ['ssh', '-F', os.environ['HELPERS'] + '/ssh_config', 'local'])\n"
                "os.write(master, b'touch ~/driving; sleep 100000; echo fin\\'\\'ished\\n')\n"
                "text = b''\n"
                "while b'finished' not in text:\n"
                "    text += os.read(master, 1000)\n",
            ),
        ),
        unforeseen=True,
    ),
    Row(
        "roots-queue",
        "sudo -i",
        "script that waits for its queue",
        LIVE,
        "Root's shell goes on as soon as somebody writes.",
        (
            holds("mkfifo queue"),
            line("sudo -i"),
            see("#"),
            line("exec 3<>/tmp/home/alice/roots-queue/queue; echo rea''dy; read -u 3 next; touch done"),
            see("^ready"),
        ),
        unforeseen=True,
    ),
    Row(
        "guests-queue",
        "sudo -u",
        "script that waits for its queue",
        LIVE,
        "Another user's script goes on as soon as somebody writes.",
        (
            holds("mkfifo queue && chmod 666 queue && chmod 711 . .."),
            line("sudo -u bob bash -c 'exec 3<>queue; echo rea\"\"dy; read -u 3 next; touch /tmp/done'"),
            see("^ready"),
        ),
        unforeseen=True,
    ),
    Row(
        "nested-working-inner",
        "tmux",
        "tmux in tmux",
        LIVE,
        "Somebody's loop runs in there. What it is seen through may go: the loop goes on without.",
        (
            line("env -u TMUX tmux -L second new-session -s nested-working-inner"),
            see("\\[nested-wo"),
            line(LOOP),
        ),
        within="nested-working",
    ),
    Row(
        "group-working",
        "tmux new-session -t",
        "group",
        LIVE,
        "What runs in one runs in the other too.",
        (line(LOOP), runs("sleep"), outside("tmux new-session -d -t =group-working -s group-working-too")),
        also=("group-working-too",),
    ),
]

MEASURERS = [
    Row(
        "top-to-file",
        "top",
        "monitor that writes a file",
        LIVE,
        "Somebody is measuring.",
        (line("top -b -d 7 > top.log"), holds("test -s top.log")),
        unforeseen=True,
    ),
    Row(
        "vmstat-to-file",
        "vmstat",
        "monitor that writes a file",
        LIVE,
        "Somebody is measuring.",
        (line("vmstat 7 > vmstat.log"), runs("vmstat")),
        unforeseen=True,
    ),
    Row(
        "ping-to-file",
        "ping",
        "monitor that writes a file",
        LIVE,
        "Somebody is measuring; without root, its process is not even in the table.",
        (line("ping -i 7 127.0.0.1 > ping.log"), holds("test -s ping.log")),
        owner=HIDDEN,
        unforeseen=True,
    ),
    Row(
        "alert-pipeline",
        "grep",
        "pipeline that watches a log",
        LIVE,
        "It was set up to act on what comes.",
        (
            outside("sh -c 'while :; do echo fine >> app.log; sleep 7; done'"),
            holds("test -s app.log"),
            line("tail -F app.log | grep --line-buffered ERROR >> errors.log"),
            runs("tail|grep"),
        ),
        unforeseen=True,
    ),
    Row(
        "strace-attached",
        "strace",
        "debugger",
        LIVE,
        "It records another process.",
        (
            SOMEBODY,
            holds("test -s outside.pid"),
            line("strace -o calls.log -p $(cat outside.pid)"),
            holds("grep -q '^TracerPid:.[1-9]' /proc/$(cat outside.pid)/status"),
        ),
    ),
    Row(
        "strace-quiet",
        "strace",
        "debugger",
        LIVE,
        "It records another process, which does nothing just now.",
        (
            outside("sh -c 'echo $$ > outside.pid; exec sleep 100000'"),
            holds("test -s outside.pid"),
            line("strace -o calls.log -p $(cat outside.pid) &"),
            holds("grep -q '^TracerPid:.[1-9]' /proc/$(cat outside.pid)/status"),
        ),
    ),
    Row(
        "gdb-holding",
        "gdb",
        "debugger",
        LIVE,
        "It holds another process, which ends or runs away without it.",
        (
            SOMEBODY,
            holds("test -s outside.pid"),
            line("gdb -q -nx -p $(cat outside.pid)"),
            holds("grep -q '^TracerPid:.[1-9]' /proc/$(cat outside.pid)/status"),
        ),
    ),
]

MOVERS = [
    Row(
        "wget-slow",
        "wget",
        "download",
        LIVE,
        "Some bytes come now and then.",
        (line("wget -q -O image.iso http://127.0.0.1:8101/image.iso"), holds("test -s image.iso")),
    ),
    Row(
        "rsync-slow",
        "rsync",
        "copy over a slow link",
        LIVE,
        "It copies as fast as it may.",
        (holds("head -c 5000000 /dev/urandom > big"), line("rsync --bwlimit=1 big copy"), runs("rsync")),
    ),
    Row(
        "pv-throttled",
        "pv",
        "copy over a slow link",
        LIVE,
        "It copies as fast as it may.",
        (holds("head -c 5000000 /dev/urandom > big"), line("pv -q -L 200 big | cat > copy"), runs("pv|cat")),
        unforeseen=True,
    ),
    Row(
        "socat-relay",
        "socat",
        "relay",
        LIVE,
        "Others talk through it.",
        (
            line("socat TCP-LISTEN:8104,bind=127.0.0.1,reuseaddr TCP:127.0.0.1:8102"),
            outside("$HELPERS/chatter 127.0.0.1 8104 64"),
            holds("test -e chatter-8104.log"),
        ),
        unforeseen=True,
    ),
    Row(
        "ssh-tunnel",
        "ssh",
        "relay",
        LIVE,
        "Others talk through it.",
        (
            line("ssh -F $HELPERS/ssh_config -N -L 8105:127.0.0.1:8102 local"),
            outside("$HELPERS/chatter 127.0.0.1 8105 4096"),
            holds("test -e chatter-8105.log"),
        ),
    ),
    Row(
        "deploy-through-ssh",
        "ssh -T",
        "waits for work done elsewhere",
        LIVE,
        "A shell on the other host works through what it was told by a pipe, and says nothing.",
        (
            line("echo 'touch ~/deploying; sleep 100000; touch done' | ssh -F $HELPERS/ssh_config -T local"),
            holds("test -e ~/deploying"),
        ),
        unforeseen=True,
    ),
    Row(
        "upgrade-far-away",
        "ssh -t",
        "waits for work done elsewhere",
        LIVE,
        "A command works on the other host, and has a terminal there.",
        (
            line("ssh -F $HELPERS/ssh_config -t local 'sh -c \"touch ~/upgrading; sleep 100000; touch done\"'"),
            holds("test -e ~/upgrading"),
        ),
        unforeseen=True,
    ),
    Row(
        "agent",
        "agent",
        "talks over the network",
        LIVE,
        "It talks to its service now and then.",
        (line("$HELPERS/chatter 127.0.0.1 8102 64"), holds("test -e chatter-8102.log")),
    ),
    Row(
        "served-page",
        "http.server",
        "server with visitors",
        LIVE,
        "Somebody reads what it serves.",
        (
            line("python3 -m http.server --bind ::1 8103"),
            outside("$HELPERS/visitor 8103"),
            holds("test -e visited"),
        ),
    ),
]

WAITERS = [
    Row(
        "flock-waiter",
        "flock",
        "waits for a lock",
        LIVE,
        "Its turn may still come.",
        (
            outside("flock lock sleep 100000"),
            holds("! flock -n lock true"),
            line("flock lock sh publish"),
            runs("flock"),
        ),
        files=(("publish", "echo published\n"),),
    ),
    Row(
        "fcntl-waiter",
        "lockrun",
        "waits for a lock",
        LIVE,
        "Its turn may still come.",
        (
            outside("$HELPERS/lockrun lock sleep 100000"),
            holds("test -e lock.taken"),
            line("$HELPERS/lockrun lock true"),
            holds("grep -q -e '-> POSIX' /proc/locks"),
        ),
    ),
    Row(
        "database-locked",
        "sqlite3",
        "waits for a lock",
        LIVE,
        "It tries again and again until the database is free.",
        (
            outside("$HELPERS/holder app.db"),
            holds("test -e app.db.held"),
            line("sqlite3 -cmd '.timeout 100000000' app.db 'INSERT INTO t VALUES (1)'"),
            runs("sqlite3"),
        ),
        unforeseen=True,
    ),
    Row(
        "sleep-then-report",
        "sleep",
        "waits for a time",
        LIVE,
        "Its time has not come.",
        (line("sleep 3h; echo report > report"), runs("sleep")),
    ),
    Row(
        "timeout-then-report",
        "timeout",
        "waits for a time",
        LIVE,
        "What it runs only shows; its time has not come, and then something follows.",
        (line("timeout 1d tail -f app.log; echo report > report"), runs("timeout|tail")),
        files=LOG,
    ),
    Row(
        "fifo-reader",
        "cat",
        "waits for a writer",
        LIVE,
        "It begins when somebody writes.",
        (holds("mkfifo stream"), line("cat stream > received"), runs("cat")),
        unforeseen=True,
    ),
    Row(
        "restore-from-pipe",
        "gzip",
        "waits for work done elsewhere",
        LIVE,
        "The other end of its pipe is a process that lives, outside.",
        (
            holds("mkfifo stream"),
            outside("sh -c 'exec sleep 100000 > stream'"),
            line("gzip -dc < stream > restored.sql"),
            runs("gzip"),
        ),
        unforeseen=True,
    ),
    Row(
        "tail-until-done",
        "tail",
        "waits for a process",
        LIVE,
        "It shows nothing: it waits for the end of a process, and then something follows.",
        (
            SOMEBODY,
            holds("test -s outside.pid"),
            line("tail --pid=$(cat outside.pid) -f /dev/null && echo deploy > deployed"),
            runs("tail"),
        ),
        unforeseen=True,
    ),
    Row(
        "watch-until-changed",
        "watch",
        "waits for a change",
        LIVE,
        "It ends when something changes, and then something follows.",
        (line("watch -g -n 7 ls inbox && echo begin > begun"), runs("watch|ls")),
        files=(("inbox/first", ""),),
        unforeseen=True,
    ),
    Row(
        "watch-with-letters",
        "watch -tg",
        "waits for a change",
        LIVE,
        "It ends when something changes, and then something follows.",
        (line("watch -tgn 7 ls inbox && echo begin > begun"), runs("watch|ls")),
        files=(("inbox/first", ""),),
    ),
    Row(
        "grep-until-ready",
        "grep",
        "waits for a line",
        LIVE,
        "It ends when that line comes, and then something follows.",
        (line("tail -f app.log | grep -m1 ready && echo deploy > deployed"), runs("tail|grep")),
        files=LOG,
    ),
    Row(
        "sed-until-ready",
        "sed",
        "script that waits for a line",
        LIVE,
        "It ends when that line comes, and then something follows.",
        (line("bash go.sh"), holds("pgrep -u $(id -u) -f '^sed -u /ready/q'")),
        files=(*LOG, ("go.sh", "tail -f app.log | sed -u '/ready/q'\necho deploy > deployed\n")),
    ),
    Row(
        "awk-that-mails",
        "awk",
        "pipeline that watches a log",
        LIVE,
        "It was set up to act on what comes.",
        (line("tail -f app.log | awk '/ERROR/ { system(\"echo mail >> mails\") }'"), runs("tail|[gm]?awk")),
        files=LOG,
    ),
    Row(
        "tmux-wait-for",
        "tmux wait-for",
        "waits for work done elsewhere",
        LIVE,
        "What it waits for may still come, and then something follows.",
        (
            line("tmux wait-for build-done && echo deploy > deployed"),
            holds("pgrep -u $(id -u) -f '^tmux wait-for build-done'"),
        ),
    ),
    Row(
        "key-or-time",
        "read -t -n",
        "loop that a key ends",
        LIVE,
        "It goes on when a time has come, if no key does.",
        (line("while ! read -t 3600 -n 1 -p 'a key ends it'; do date >> log; done"), see("ends it$")),
    ),
    Row(
        "watch-script",
        "watch sh",
        "script that logs",
        LIVE,
        "It writes to a log, on a disk.",
        (line("watch -n 7 sh sync.sh"), holds("test -s $DISK/sync.log")),
        files=(("sync.sh", "date >> $DISK/sync.log\n"),),
    ),
    Row(
        "inbox",
        "inotifywait",
        "waits for a file",
        LIVE,
        "It works on what is put there.",
        (line("while inotifywait -qq -e create inbox; do echo import; done"), runs("inotifywait")),
        files=(("inbox/first", ""),),
        unforeseen=True,
    ),
    Row(
        "importer",
        "importer",
        "waits for a file",
        LIVE,
        "It works on what is put there.",
        (line("python3 importer.py"), runs("python.*")),
        files=(("importer.py", IMPORTER), ("inbox/first", "")),
    ),
    Row(
        "jobs-by-fifo",
        "read",
        "waits for work done elsewhere",
        LIVE,
        "It works on what others write into a named pipe, which it holds open itself for it to stay open.",
        (
            holds("mkfifo queue"),
            line("exec 3<>queue"),
            line('while read -r -u 3 job; do sh -c "$job"; done &'),
            see("\\[1\\]"),
        ),
    ),
    Row(
        "network-log",
        "ip",
        "waits for what the kernel tells",
        LIVE,
        "It was set up to act on what comes.",
        (line("ip monitor | while read -r change; do echo $change >> changes; done"), runs("ip|bash")),
        unforeseen=True,
    ),
    Row(
        "console-log",
        "cut",
        "waits for what a device tells",
        LIVE,
        "It keeps what another machine says on its console.",
        (
            outside("exec socat PTY,link=console,raw,echo=0 PTY,link=machine,raw,echo=0"),
            holds("test -e console"),
            line("cut -c 1-200 console > console.log"),
            runs("cut"),
        ),
        unforeseen=True,
    ),
    Row(
        "queue-worker",
        "redis-cli",
        "waits for work done elsewhere",
        LIVE,
        "Its answer may still come.",
        (line("redis-cli -s /tmp/services/redis.sock BLPOP jobs 0"), runs("redis-cli")),
        unforeseen=True,
    ),
    Row(
        "long-query",
        "psql",
        "waits for work done elsewhere",
        LIVE,
        "The server works for it.",
        (line("psql -X -h /tmp/services -U app -c 'SELECT report()' app"), runs("psql")),
    ),
    Row(
        "long-request",
        "curl",
        "waits for work done elsewhere",
        LIVE,
        "The server works for it.",
        (line("curl -sS --unix-socket /tmp/services/silent.sock http://localhost/build"), runs("curl")),
    ),
    Row(
        "container-client",
        "container",
        "waits for work done elsewhere",
        LIVE,
        "What it started runs as a child of a service.",
        (line("$HELPERS/container run image ./migrate"), runs("container|python.*")),
    ),
    Row(
        "held-by-ctrl-s",
        "steps",
        "job whose terminal was stopped",
        LIVE,
        "It goes on when somebody presses Ctrl-Q.",
        (line("sh steps.sh"), see("step 3"), press("C-s")),
        files=(("steps.sh", STEPS),),
        unforeseen=True,
    ),
    Row(
        "dump-into-pipe",
        "tar",
        "waits for a reader",
        LIVE,
        "Whoever reads its pipe, outside, is slow.",
        (
            holds("head -c 5000000 /dev/urandom > big && mkfifo stream"),
            outside("sh -c 'exec sleep 100000 < stream'"),
            line("tar -cf - big > stream && touch done"),
            runs("tar"),
        ),
        unforeseen=True,
    ),
    Row(
        "sent-to-background",
        "patient",
        "waits for a time",
        LIVE,
        "Its time has not come. It was stopped for a moment, and told to go on in the background.",
        (
            line("python3 patient.py"),
            holds("grep -q ^7 /proc/$(pgrep -u $(id -u) -f '^python3 patient.py')/syscall"),
            press("C-z"),
            see("Stopped"),
            line("bg"),
            line("echo ma''de"),
            see("^([$#%] )*made"),
        ),
        files=(("patient.py", PATIENT),),
        unforeseen=True,
    ),
    Row(
        "without-first-thread",
        "headless",
        "waits for a time",
        LIVE,
        "Its time has not come. Its first thread has ended, and another one waits for that.",
        (line("python3 headless.py"), holds("test -e begun")),
        files=(("headless.py", HEADLESS),),
        unforeseen=True,
    ),
    Row(
        "rain-of-ones-own",
        "./rain",
        "program called like a toy",
        LIVE,
        "It computes, and writes what it has found now and then.",
        (holds("chmod +x rain"), line("./rain"), holds("pgrep -u $(id -u) -x rain")),
        files=(("rain", RAIN),),
        unforeseen=True,
    ),
    Row(
        "scheduler",
        "scheduler",
        "waits for work done elsewhere",
        LIVE,
        "Another process has called it for something to do, and does it.",
        (
            line("python3 scheduler.py"),
            holds("pgrep -u $(id -u) -f '^python3 scheduler.py'"),
            outside("until python3 worker.py; do sleep 1; done"),
            holds("test -e given"),
        ),
        files=(("scheduler.py", SCHEDULER), ("worker.py", WORKER)),
        unforeseen=True,
    ),
    Row(
        "app-with-a-backup",
        "app",
        "server that waits for a time",
        LIVE,
        "Nobody calls it, and at night it has something to do.",
        (line("python3 app.py"), see("serves")),
        files=(("app.py", APP),),
        unforeseen=True,
    ),
    Row(
        "psql-in-a-transaction",
        "psql with a transaction",
        "transaction that is not committed",
        LIVE,
        "What was changed is nowhere else.",
        (
            line("psql -X -h /tmp/services -U app app"),
            see("app=[>#]"),
            line("BEGIN;"),
            see("app=\\*[>#]"),
        ),
        unforeseen=True,
    ),
    Row(
        "stopped-copy",
        "dd",
        "stopped job",
        LIVE,
        "It was stopped in the middle of its work.",
        (line("dd if=/dev/zero of=/dev/null bs=512"), runs("dd"), press("C-z"), see("Stopped")),
        unforeseen=True,
    ),
]

PAGERS = [
    Row(
        "less-open",
        "less",
        "pager",
        ABANDONED,
        "It shows a file.",
        (line("less long.txt"), see("line 0 of")),
        files=LONG,
    ),
    Row(
        "less-stopped",
        "less",
        "stopped pager",
        ABANDONED,
        "A stopped pager is no work.",
        (line("less long.txt"), see("line 0 of"), press("C-z"), see("Stopped")),
        files=LONG,
    ),
    Row(
        "man-page",
        "man",
        "pager",
        ABANDONED,
        "It shows a page.",
        (line("man -l ./tool.1"), see("does something")),
        files=(("tool.1", ".TH TOOL 1\n.SH NAME\ntool \\- does something\n" + ".PP\nMore of it.\n" * 80),),
    ),
    Row("more-open", "more", "pager", ABANDONED, "It shows a file.", (line("more long.txt"), see("More")), files=LONG),
    Row(
        "more-closed-home",
        "more",
        "home that refuses",
        ABANDONED,
        "It shows a file, and there is nothing in it that could be lost.",
        (line("more long.txt"), see("More")),
        files=LONG,
        owner=CLOSED,
    ),
    Row(
        "git-log",
        "git",
        "pager",
        ABANDONED,
        "It shows a history.",
        (
            holds("git init -q && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m first"),
            line("git -c core.pager='less -+F' log"),
            see("first"),
        ),
    ),
    Row(
        "numbers-in-pager",
        "seq",
        "pager",
        ABANDONED,
        "What says more than a pager takes was started to be shown.",
        (line("seq 100000 | less"), see("^29$")),
        unforeseen=True,
    ),
    Row(
        "awk-shown",
        "awk",
        "follows a log",
        ABANDONED,
        "It shows a part of a file.",
        (line("tail -f long.txt | awk '$2 > 400 { print $2 }'"), runs("tail|[gm]?awk")),
        files=LONG,
    ),
    Row(
        "tail-f",
        "tail",
        "follows a log",
        ABANDONED,
        "It shows a file.",
        (line("tail -f long.txt"), see("499")),
        files=LONG,
    ),
    Row(
        "multitail",
        "multitail",
        "follows a log",
        ABANDONED,
        "It shows a file.",
        (line("multitail long.txt"), see("499")),
        files=LONG,
        unforeseen=True,
    ),
    Row(
        "info-page",
        "info",
        "browser of text",
        ABANDONED,
        "It shows a page.",
        (line("info -f ./tool.info"), see("does something")),
        files=(("tool.info", "This is tool.info.\n\n\x1f\nFile: tool.info,  Node: Top\n\ntool does something\n"),),
        unforeseen=True,
    ),
    Row(
        "w3m-page",
        "w3m",
        "browser of text",
        ABANDONED,
        "It shows a page.",
        (line("w3m page.html"), see("a page")),
        files=(("page.html", "<html><body><p>a page</p></body></html>\n"),),
        unforeseen=True,
    ),
    Row(
        "tig-history",
        "tig",
        "browser of files",
        ABANDONED,
        "It shows a history.",
        (
            holds("git init -q && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m first"),
            line("tig"),
            see("first"),
        ),
        unforeseen=True,
    ),
    Row(
        "file-manager",
        "mc",
        "browser of files",
        ABANDONED,
        "It shows a folder.",
        (line("mc"), see("long.txt")),
        files=LONG,
        unforeseen=True,
    ),
    Row(
        "nnn-folder",
        "nnn",
        "browser of files",
        ABANDONED,
        "It shows a folder.",
        (line("nnn"), see("long.txt")),
        files=LONG,
        unforeseen=True,
    ),
    Row(
        "ncdu-sizes",
        "ncdu",
        "browser of files",
        ABANDONED,
        "It shows a folder.",
        (line("ncdu ."), see("long.txt")),
        files=LONG,
        unforeseen=True,
    ),
]

MONITORS = [
    Row("htop", "htop", "monitor", ABANDONED, "It only shows.", (line("htop"), see("CPU%"))),
    Row(
        "sh-c-top",
        "top",
        "monitor",
        ABANDONED,
        "A shell that waits for what only shows.",
        (see("CPU"),),
        shell="sh -c 'top; true'",
    ),
    Row("watch-ls", "watch", "monitor", ABANDONED, "It only shows.", (line("watch -n 1 ls"), see("Every"))),
    Row("vmstat", "vmstat", "monitor", ABANDONED, "It only shows.", (line("vmstat 1"), see("procs")), unforeseen=True),
    Row("nload", "nload", "monitor", ABANDONED, "It only shows.", (line("nload"), see("Incoming"))),
    Row(
        "bmon",
        "bmon",
        "monitor",
        ABANDONED,
        "It only shows.",
        (line("bmon"), see("bmon")),
        unforeseen=True,
    ),
    Row(
        "ping-shown",
        "ping",
        "monitor",
        ABANDONED,
        "It only shows.",
        (line("ping 127.0.0.1"), see("bytes from")),
        without_root=OPEN,
        unforeseen=True,
    ),
    Row(
        "network-changes",
        "ip",
        "monitor",
        ABANDONED,
        "It only shows.",
        (line("ip monitor | grep --line-buffered link"), runs("ip|grep")),
        unforeseen=True,
    ),
    Row(
        "watch-ls-g",
        "watch ls -g",
        "monitor",
        ABANDONED,
        "It only shows; the option is that of the command.",
        (line("watch -n 7 ls -g inbox"), see("Every")),
        files=(("inbox/first", ""),),
    ),
    Row(
        "tty-clock",
        "tty-clock",
        "clock",
        ABANDONED,
        "It only shows.",
        (line("tty-clock -s"), runs("tty-clock")),
    ),
    Row(
        "cmatrix",
        "cmatrix",
        "toy",
        ABANDONED,
        "It only shows.",
        (line("cmatrix"), runs("cmatrix")),
    ),
]

PROMPTS = [
    Row(
        "bash-prompt-command",
        "bash",
        "prompt",
        ABANDONED,
        "Nobody is there.",
        (line("PROMPT_COMMAND='date > /dev/null'"), line("echo made"), see("^([$#%] )*made")),
    ),
    Row(
        "zsh-clock",
        "zsh",
        "prompt that draws itself anew",
        ABANDONED,
        "Nobody is there; the prompt has a clock.",
        (line("TMOUT=1; PROMPT='%D{%H:%M:%S} %% '; TRAPALRM() { zle reset-prompt }"), see("^\\d\\d:\\d\\d:\\d\\d")),
        shell="zsh",
    ),
    Row(
        "fish-prompt",
        "fish",
        "prompt",
        ABANDONED,
        "Nobody is there.",
        (line("echo ma''de"), see("^([$#%] )*made")),
        shell="fish",
    ),
    Row(
        "mksh-prompt",
        "mksh",
        "prompt",
        ABANDONED,
        "Nobody is there.",
        (line("echo ma''de"), see("^([$#%] )*made")),
        shell="mksh",
    ),
    Row(
        "tcsh-prompt",
        "tcsh",
        "prompt",
        ABANDONED,
        "Nobody is there.",
        (line("echo ma''de"), see("^([$#%] )*made")),
        shell="tcsh",
    ),
    Row(
        "tcsh-hidden",
        "tcsh",
        "prompt where processes hide",
        ABANDONED,
        "Nobody is there, and his own processes are enough to know it.",
        (line("echo ma''de"), see("^([$#%] )*made")),
        shell="tcsh",
        owner=HIDDEN,
    ),
    Row(
        "shells-in-shells",
        "dash",
        "prompt",
        ABANDONED,
        "Nobody is there, however many shells deep.",
        (line("dash"), line("dash -i"), line("echo ma''de"), see("^([$#%] )*made")),
    ),
    Row(
        "ssh-agent",
        "ssh-agent",
        "prompt with a helper",
        ABANDONED,
        "Nobody waits for the agent.",
        (line("eval $(ssh-agent)"), see("Agent pid")),
    ),
    Row(
        "gpg-agent",
        "gpg-agent",
        "prompt with a helper",
        ABANDONED,
        "Nobody waits for the agent.",
        (line("mkdir -m 700 gnupg; gpg-agent --homedir $PWD/gnupg --daemon; echo ma''de"), see("^([$#%] )*made")),
    ),
    Row(
        "dbus-session",
        "dbus-run-session",
        "prompt with a helper",
        ABANDONED,
        "Nobody waits for the bus, and the shell in it is at its prompt.",
        (line("dbus-run-session bash"), line("echo ma''de"), see("^([$#%] )*made")),
        unforeseen=True,
    ),
    Row(
        "sudo-shell",
        "sudo",
        "prompt of root",
        ABANDONED,
        "Nobody is there.",
        (line("sudo -s"), see("#$"), line("echo ma''de $(id -u)"), see("^([$#%] )*made 0")),
        without_root=OPEN,
    ),
    Row(
        "roots-log",
        "sudo tail",
        "follows a log as root",
        ABANDONED,
        "It shows a file.",
        (line("sudo tail -f /etc/hostname"), holds("pgrep -u 0 -f 'tail -f /etc/hostname'")),
        without_root=OPEN,
        unforeseen=True,
    ),
    Row(
        "script-prompt",
        "script",
        "prompt that is recorded",
        ABANDONED,
        "Nobody is there.",
        (line("script -q prompt.typescript"), line("echo ma''de"), see("^([$#%] )*made")),
        unforeseen=True,
    ),
    Row(
        "screen-prompt",
        "screen",
        "terminal in a terminal",
        ABANDONED,
        "Nobody is there.",
        (line("screen"), see("in screen"), line("echo ma''de"), see("^([$#%] )*made")),
        without_root=OPEN,
        unforeseen=True,
    ),
    Row(
        "nested-outer",
        "tmux",
        "tmux in tmux",
        ABANDONED,
        "Nobody is in either.",
        (
            line("env -u TMUX tmux -L first new-session -s nested-inner"),
            see("\\[nested-in"),
            line("echo ma''de"),
            see("^([$#%] )*made"),
        ),
        also=("nested-inner",),
    ),
    Row(
        "group",
        "tmux new-session -t",
        "group",
        ABANDONED,
        "Nobody is in either.",
        (line("echo ma''de"), see("^([$#%] )*made"), outside("tmux new-session -d -t =group -s group-too")),
        also=("group-too",),
    ),
    Row(
        "ssh-prompt",
        "ssh",
        "prompt of another host",
        ABANDONED,
        "Nobody is there; what goes over the line keeps it alive, and no more.",
        (
            line("ssh -F $HELPERS/ssh_config local"),
            line("echo ma''de $SSH_CONNECTION"),
            see("^([$#%] )*made 127"),
        ),
    ),
    Row(
        "monitor-far-away",
        "ssh -t",
        "monitor of another host",
        ABANDONED,
        "It only shows, and what comes over the line is what it shows.",
        (line("ssh -F $HELPERS/ssh_config -t local 'cd / && exec htop'"), see("Mem")),
        unforeseen=True,
    ),
    Row(
        "mosh-prompt",
        "mosh-client",
        "prompt of another host",
        ABANDONED,
        "Nobody is there.",
        (
            outside("$HELPERS/mosh-start > mosh.env"),
            holds("grep -q KEY mosh.env"),
            line(". ./mosh.env"),
            line("mosh-client 127.0.0.1 $MOSH_PORT"),
            see("far away"),
            line("echo ma''de"),
            see("^([$#%] )*made"),
        ),
    ),
    Row(
        "sftp-prompt",
        "sftp",
        "prompt of another host",
        ABANDONED,
        "Nobody is there.",
        (line("sftp -F $HELPERS/ssh_config local"), see("sftp>")),
        unforeseen=True,
    ),
    Row(
        "python-prompt",
        "python3",
        "prompt with a timer",
        ABANDONED,
        "Nobody is there; a thread of it wakes now and then.",
        (line("python3 -i $HELPERS/timers.py"), see(">>>")),
    ),
    Row(
        "ipython-prompt",
        "ipython3",
        "prompt with a timer",
        ABANDONED,
        "Nobody is there.",
        (line("ipython3"), see("In \\[1\\]")),
    ),
    Row(
        "assistant",
        "assistant",
        "prompt with servers of its own",
        ABANDONED,
        "Nobody is there; what it has started waits for it, with a timer.",
        (line("$HELPERS/assistant"), see("assistant >")),
    ),
    Row(
        "assistant-at-work",
        "assistant",
        "prompt with a command",
        LIVE,
        "The command that it was told to run has not ended.",
        (line("$HELPERS/assistant 'sleep 3h; make'"), see("assistant >")),
    ),
    Row(
        "bc-prompt",
        "bc",
        "prompt",
        ABANDONED,
        "Nobody is there.",
        (line("bc -q"), runs("bc"), line("6*7"), see("42")),
        unforeseen=True,
    ),
    Row(
        "dc-prompt",
        "dc",
        "prompt",
        ABANDONED,
        "Nobody is there.",
        (line("dc"), runs("dc"), line("6 7*p"), see("42")),
        unforeseen=True,
    ),
    Row(
        "lua-prompt",
        "lua",
        "prompt",
        ABANDONED,
        "Nobody is there.",
        (line("lua5.4"), see("^>$"), line("=6*7"), see("42")),
        unforeseen=True,
    ),
    Row(
        "tcl-prompt",
        "tclsh",
        "prompt",
        ABANDONED,
        "Nobody is there.",
        (line("tclsh"), see("^%$"), line("expr 6*7"), see("42")),
        unforeseen=True,
    ),
    Row(
        "sqlite-prompt",
        "sqlite3",
        "prompt of a database",
        ABANDONED,
        "Nobody is there, and no transaction is open.",
        (line("sqlite3 app.db"), see("^sqlite>$"), line("SELECT 6*7;"), see("42")),
    ),
    Row(
        "redis-prompt",
        "redis-cli",
        "prompt of a database",
        ABANDONED,
        "Nobody is there.",
        (line("redis-cli -p 8106"), see("8106>$"), line("PING"), see("PONG")),
    ),
    Row(
        "psql-prompt",
        "psql",
        "prompt of a database",
        ABANDONED,
        "Nobody is there.",
        (line("psql -X -h /tmp/services -U app app"), see("app=[>#]")),
    ),
    Row(
        "gdb-prompt",
        "gdb",
        "prompt",
        ABANDONED,
        "It holds nothing.",
        (line("gdb -q -nx"), see("\\(gdb\\)")),
    ),
    Row(
        "lftp-prompt",
        "lftp",
        "prompt",
        ABANDONED,
        "Nobody is there.",
        (line("lftp"), see("lftp.*>")),
        unforeseen=True,
    ),
]

REST = [
    Row(
        "keep-alive",
        "sleep",
        "keeps a session alive",
        ABANDONED,
        "It waits for nothing.",
        (runs("sleep"),),
        shell="sleep infinity",
    ),
    Row(
        "cat",
        "cat",
        "keeps a session alive",
        ABANDONED,
        "It says what is typed, and nobody types.",
        (runs("cat"),),
        shell="cat",
    ),
    Row(
        "chooser",
        "fzf",
        "asks, and nobody answers",
        ABANDONED,
        "It shows a list, and nothing follows but what is chosen.",
        (line("fzf < long.txt"), see("500/500")),
        files=LONG,
        unforeseen=True,
    ),
    Row(
        "dialog-box",
        "dialog",
        "asks, and nobody answers",
        ABANDONED,
        "It shows a box.",
        (line("dialog --msgbox hello 6 20"), see("hello")),
        unforeseen=True,
    ),
    Row(
        "menu-with-cursor",
        "menu",
        "cursor that blinks",
        ABANDONED,
        "It draws the same again and again.",
        (line("$HELPERS/menu"), see("first entry")),
    ),
    Row(
        "dev-server",
        "dev-server",
        "server that watches files",
        ABANDONED,
        "It shows what somebody edits, and nobody edits, and nobody looks.",
        (line("python3 dev.py"), see("serves")),
        files=(("dev.py", DEV_SERVER), ("inbox/first", "")),
    ),
    Row(
        "finished",
        "true",
        "nothing runs",
        ABANDONED,
        "Its program has ended.",
        (Step("dead", ""),),
        shell="tmux set-window-option remain-on-exit on > /dev/null",
    ),
]

EITHER_WAY = [
    Row(
        "typed-to-file",
        "tee",
        "takes what is typed",
        OPEN,
        "What was typed is in the file; who knows whether more was to come.",
        (line("tee typed > /dev/null"), runs("tee"), line("some words"), holds("test -s typed")),
    ),
    Row(
        "server-without-visitors",
        "http.server",
        "server",
        OPEN,
        "It serves whoever comes, and nobody has for so long.",
        (line("python3 -m http.server --bind 127.0.0.1 8107"), see("Serving")),
    ),
    Row(
        "entr",
        "entr",
        "waits for a change",
        OPEN,
        "Somebody's edits start it, and nobody edits.",
        (line("ls notes.txt | entr -n true"), holds("pgrep -u $(id -u) -x entr")),
        files=NOTES,
    ),
    Row(
        "question",
        "read",
        "asks, and nobody answers",
        OPEN,
        "The rest of the script follows the answer.",
        (line("bash ask.sh"), see("Go on")),
        files=(("ask.sh", "read -r -p 'Go on? ' answer\necho \"$answer\"\n"),),
    ),
    Row(
        "remote-request",
        "curl",
        "waits for work done elsewhere",
        OPEN,
        "The other host may work for it; this one cannot know.",
        (line("curl -sS http://127.0.0.1:8109/build"), runs("curl")),
    ),
    Row(
        "listener",
        "nc",
        "waits for a caller",
        OPEN,
        "Somebody may still call.",
        (line("nc -l 127.0.0.1 8108 > received"), runs("nc")),
    ),
    Row(
        "commit-message",
        "git",
        "asks, and nobody answers",
        OPEN,
        "A commit waits for its message; its changes are on disk.",
        (
            holds("git init -q"),
            line("git -c core.editor=vi -c user.name=a -c user.email=a@b commit --allow-empty"),
            runs("git|vi"),
        ),
    ),
    Row(
        "spinner",
        "spinner",
        "spinner",
        OPEN,
        "Nobody can tell what it waits for.",
        (line("$HELPERS/spinner"), see("waiting")),
    ),
]

ROWS: List[Row] = [
    *EDITORS,
    *WORKERS,
    *MEASURERS,
    *MOVERS,
    *WAITERS,
    *PAGERS,
    *MONITORS,
    *PROMPTS,
    *REST,
    *EITHER_WAY,
]


PACKAGES = {
    "bc": "bc",
    "bmon": "bmon",
    "cmatrix": "cmatrix",
    "curl": "curl",
    "dbus-run-session": "dbus-daemon",
    "dc": "dc",
    "dialog": "dialog",
    "dropbear": "dropbear-bin",
    "ed": "ed",
    "emacs": "emacs-nox",
    "entr": "entr",
    "fish": "fish",
    "fzf": "fzf",
    "gdb": "gdb",
    "git": "git",
    "gpg-agent": "gpg-agent",
    "htop": "htop",
    "info": "info",
    "inotifywait": "inotify-tools",
    "ip": "iproute2",
    "ipython3": "ipython3",
    "joe": "joe",
    "less": "less",
    "lftp": "lftp",
    "lua5.4": "lua5.4",
    "make": "make",
    "man": "man-db",
    "mcedit": "mc",
    "mksh": "mksh",
    "mosh-client": "mosh",
    "multitail": "multitail",
    "nano": "nano",
    "nc": "netcat-openbsd",
    "ncdu": "ncdu",
    "nload": "nload",
    "nnn": "nnn",
    "nvim": "neovim",
    "perl": "perl",
    "ping": "iputils-ping",
    "psql": "postgresql-client",
    "pv": "pv",
    "redis-cli": "redis-tools",
    "rsync": "rsync",
    "screen": "screen",
    "sftp": "openssh-client",
    "socat": "socat",
    "sqlite3": "sqlite3",
    "strace": "strace",
    "sudo": "sudo",
    "tclsh": "tcl",
    "tcsh": "tcsh",
    "tig": "tig",
    "top": "procps",
    "tty-clock": "tty-clock",
    "vim": "vim",
    "w3m": "w3m",
    "wget": "wget",
    "zsh": "zsh",
}
"""The programs that have to be installed, and their packages of Debian. None of these starts a service."""
SFTP_SERVER = ("/usr/lib/sftp-server", "openssh-sftp-server")


_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def missing() -> List[str]:
    """The packages of what is not installed.

    Somebody's own PATH does not count: a small world has nothing of a home, where the Python of a pyenv may lie too.
    """
    found = [package for program, package in sorted(PACKAGES.items()) if shutil.which(program, path=_PATH) is None]
    return found + [SFTP_SERVER[1]] * (not os.path.exists(SFTP_SERVER[0]))


def by_name() -> Dict[str, Row]:
    return {row.name: row for row in ROWS}


if __name__ == "__main__":
    for name in missing():
        print(name)
