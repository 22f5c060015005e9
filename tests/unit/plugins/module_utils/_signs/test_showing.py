# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What programs that show are told to do besides."""

import shlex
import time

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._signs.showing import acts, does_more, is_own, repeats_work
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    "line",
    [
        "watch -g ls",
        "watch -tg -n 7 ls",
        "watch -tgn7 ls",
        "watch -n 7 -e test -e inbox",
        "watch --interval 7 --chgexit ls",
        "watch --interval=7 --chg ls",
        "watch -q 3 ls",
        "watch --equexit=3 ls",
        "watch --err make",
        "viddy -g ls",
        "hwatch -A mail ls",
        "tail --pid=77 -f log",
        "tail --pid 77 -f log",
        "tail --pi=77 -f log",
        "tail -f log --p 77",
        "tail -n 5 --pid=77 log",
        "tcpdump -c 1 port 80",
        "tcpdump -nr big.pcap",
        "tshark -r huge.pcap -q -z io,stat",
        "tshark --read-file huge.pcap",
        "conntrack -D -s 10.0.0.1",
        "tcpdump -ni eth0 -w file",
        "tcpdump -niany -wfile",
        "tshark -i eth0 -a duration:60",
        "fatrace -o log",
        "fatrace --seconds=60",
        "multitail -ex ready ./deploy log",
        "udevadm settle",
        "udevadm wait /dev/sdb",
    ],
)
def test_what_does_more_than_show(line: str) -> None:
    words = shlex.split(line)
    assert does_more(words[0], words)


@pytest.mark.parametrize(
    "line",
    [
        "watch ls",
        "watch -n 7 ls -g inbox",
        "watch -n7 -dt grep -e x log",
        "watch --interval 7 grep -q x",
        "watch -- ls -g",
        "watch -d --color ls -e",
        "tail -f log",
        "tail -fn 5 log",
        "tail -f -- --pid=77",
        "tail --retry -F log",
        "tail -n --pid=77",
        "tcpdump -ni eth0 -s 96 port 80",
        "tcpdump -i wlan0 -T carp",
        "tshark -i eth0 -f port",
        "fatrace -c -f W",
        "multitail -e error log",
        "udevadm monitor --udev",
        "less +F log",
        "top",
    ],
)
def test_what_only_shows(line: str) -> None:
    words = shlex.split(line)
    assert not does_more(words[0], words)


@pytest.mark.parametrize(
    "line",
    [
        "head -n1",
        "grep -m1 ready",
        "grep -m 1 ready",
        "grep -iqE ready",
        "grep --max-count=1 ready",
        "grep --quiet ready",
        "grep ready -q",
        "grep -l ready",
        "rg -m1 ready",
        "sed /ready/q",
        "sed -n '/ready/{p;q}'",
        "sed -u 10q",
        "sed -e p -e '/ready/Q 3'",
        "sed --expression='/ready/q'",
        "sed '/ready/Iq'",
        "sed -f script",
        "sed 's/x/date/e'",
        "sed '/x/e mail anna'",
        "sed ':quit;/x/b quit;q'",
        "sed '/x/q#c'",
        "sed 's:x:make:e'",
        "sed 's/x/y/we'",
        "sed '/x/w hits'",
        "sed '/x/{s/a/b/;p}'",
        "jq --exit-status .",
        "jq -e .",
        "awk '/ERROR/ { system(\"mail anna\") }'",
        "awk -v x=1 -F: '/ready/ { exit }'",
        "mawk -W interactive '/ready/ { exit }'",
        "awk '{ print > \"errors\" }'",
        "awk '{ print $1, $2 >> \"errors\" }'",
        "awk '{ print | \"mail anna\" }'",
        'awk \'{ printf "%s", $1 | "sh" }\'',
        "awk '/x/ { \"date\" | getline d; print d }'",
        "gawk -e '/x/ { exit }'",
        "awk -f script",
        "gawk -i inplace 1",
        "jq -n --unbuffered 'first(inputs | select(.ready))'",
        "jq 'if .ready then halt else . end'",
    ],
)
def test_a_filter_that_acts(line: str) -> None:
    words = shlex.split(line)
    assert acts(words[0], words)


@pytest.mark.parametrize(
    "line",
    [
        "grep ready",
        "grep --line-buffered -i -A 3 ready",
        "grep -e -m",
        "grep -- -q",
        "grep -A3 -C2 quiet",
        "grep -Ev '^#|^$'",
        "rg -r q ready",
        "sed -u s/quick/q/",
        "sed s/q/x/g",
        "sed 's/ q / e /'",
        "sed -n '/the/p'",
        "sed '/the/d; s:a:b:g; 1,3!p; y/abc/xyz/'",
        "sed '$!N;P;D'",
        "sed -e 's/the e/E/' -e s,e,q,",
        "sed -E 's/.*(ready|done)$/x/'",
        "awk '{ print }'",
        "awk '$9 >= 500 || /a|b/ { print $1 }'",
        "awk '$3 > 100'",
        'awk \'{ print ($3 > (80 + 1) ? "hot > x" : "ok | y"); fflush() }\'',
        "awk '{ print; system(\"\") }'",
        "awk -v exit=1 '{ print $1 || $2 }'",
        "awk -F '|' '{ print $2 }'",
        "jq -c 'select(.level == \"error\") | .first'",
        "jq .halted",
        "cut -d: -f1",
        "cat -n",
        "tee",
    ],
)
def test_a_filter_that_only_shows(line: str) -> None:
    words = shlex.split(line)
    assert not acts(words[0], words)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("watch -n 7 rsync -a src/ backup/", True),
        ("watch -tn 60 -- sudo nice -n 10 /usr/bin/cp -r src backup", True),
        ("watch 'date >> log'", True),
        ("watch sh -c 'date > log'", True),
        ("watch 'cd src; git pull -q'", True),
        ("watch 'ls *.log | xargs -n 1 gzip'", True),
        ("watch 'test -e done && LC_ALL=C scp x host:'", True),
        ("watch curl -sO http://host/list", True),
        ("viddy -n 60 rm -f core", True),
        ("watch ls", False),
        ("watch -n 7 ls cp rm", False),
        ("watch 'df -h 2>/dev/null | head'", False),
        ("watch 'df -h > /dev/null 2>&1; uptime'", False),
        ("watch \"ps aux | awk '$3 > 50'\"", False),
        ("watch 'grep -c \"a > b\" log'", False),
        ("watch git status", False),
        ("watch make", False),
        ("watch kubectl get pods", False),
        ("watch curl -s http://host/health", False),
        ("watch 'kill -l >&2'", True),
        ("watch", False),
        ("top -b rsync", False),
    ],
)
def test_what_is_repeated_to_change_something(line: str, expected: bool) -> None:
    words = shlex.split(line)
    assert repeats_work(words[0], words) is expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("top -d 3", False),
        ("/usr/bin/top", False),
        ("./top", True),
        ("build/top -n 3", True),
        ("/home/anna/weather/top", True),
        ("/home/anna/.local/bin/top", False),
        ("/opt/top/top", False),
        ("/usr/bin/python3 ./top", True),
        ("/bin/sh -e ./top", True),
        ("/usr/bin/perl /usr/bin/top", False),
        ("top ./top", False),
        ("other", False),
    ],
)
def test_a_program_of_somebodys_own(line: str, expected: bool) -> None:
    assert is_own("top", line.split()) is expected


@given(
    st.sampled_from(["watch", "tail", "grep", "sed", "awk", "jq", "tcpdump"]),
    st.lists(st.text("-gqeinm=p w", max_size=6)),
)
def test_any_command_line_is_read(name: str, words: "list[str]") -> None:
    assert does_more(name, [name, *words]) in (True, False)
    assert acts(name, [name, *words]) in (True, False)
    assert repeats_work(name, [name, *words]) in (True, False)


@pytest.mark.parametrize("text", ["print " * 10000, '"' * 60000, "(" * 60000, "q" * 60000])
@pytest.mark.parametrize("name", ["awk", "sed", "jq"])
def test_a_long_text_takes_no_time(name: str, text: str) -> None:
    began = time.process_time()
    assert acts(name, [name, text])
    assert acts(name, [name, text[:4000]]) in (True, False)
    assert not does_more("tail", ["tail", *text.split()])
    assert repeats_work("watch", ["watch", text]) in (True, False)
    assert time.process_time() - began < 1


@pytest.mark.parametrize("script", ["1%se", "1%s!%se", "s/a/b/%se", "1,2%se"])
def test_a_script_of_blanks_is_read_at_once(script: str) -> None:
    """Whoever writes one would keep all others waiting."""
    began = time.process_time()
    assert acts("sed", ["sed", script.replace("%s", " " * 4000)])
    assert time.process_time() - began < 1
