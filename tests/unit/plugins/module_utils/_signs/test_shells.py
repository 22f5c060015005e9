# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What shells are told to do, by their arguments."""

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._signs import shells


def told_nothing(line: str, name: str = "") -> bool:
    words = line.split()
    return shells.is_told_nothing(name or words[0].rpartition("/")[2], words)


@pytest.mark.parametrize(
    "line",
    [
        "-bash",
        "bash",
        "/bin/bash -i",
        "bash --login",
        "bash -il",
        "bash --rcfile /home/anna/rc",
        "bash --rcfile /home/anna/rc -i",
        "bash --init-file rc --noprofile",
        "bash --norc +o history",
        "bash -o vi",
        "bash -O extglob +O dotglob",
        "bash -io vi",
        "bash -s one two",
        "sh -",
        "bash --",
        "-zsh",
        "zsh -f",
        "zsh -o noglob -i",
        "zsh -d -f +x",
        "ksh -o vi",
        "fish -l",
        "fish -C complete",
        "fish -i --init-command complete",
        "fish --init-command=complete -i",
        "fish -iC complete",
        "tcsh -f",
        "csh -l",
        "pwsh -NoLogo -NoProfile",
        "pwsh -WorkingDirectory /tmp",
        "nu --config /tmp/x -l",
        "nu -e ls",
        "elvish -rc /tmp/x",
        "busybox sh",
        "/bin/busybox ash -l",
    ],
)
def test_a_shell_that_reads_what_comes(line: str) -> None:
    name = "ash" if "busybox" in line else ""
    assert told_nothing(line, name)


@pytest.mark.parametrize(
    "line",
    [
        "bash job.sh",
        "bash -x job.sh",
        "bash -c make",
        "bash -lc make",
        "bash -ic make",
        "bash --rcfile rc job.sh",
        "bash -o pipefail job.sh",
        "bash -euo pipefail job.sh",
        "bash -O extglob job.sh one",
        "bash -- job.sh",
        "sh -e job.sh",
        "zsh -f job.zsh",
        "fish -c make",
        "fish --command=make",
        "fish -C complete job.fish",
        "tcsh -f job.csh",
        "csh -c make",
        "pwsh -NoLogo -File job.ps1",
        "pwsh -Command make",
        "pwsh -c make",
        "pwsh job.ps1",
        "nu job.nu",
        "nu -c ls",
        "elvish -c ls",
        "elvish job.elv",
        "xonsh job.xsh",
    ],
)
def test_a_shell_that_runs_something(line: str) -> None:
    assert not told_nothing(line)


def test_without_a_command_line_nobody_knows() -> None:
    assert not shells.is_told_nothing("bash", [])


@pytest.mark.parametrize(
    "command",
    [
        "sleep infinity",
        "while :; do sleep 3600; done",
        "while true; do sleep 1d; done",
        "while [ 1 ]; do /bin/sleep 15m & wait $!; done",
        "exec sleep 99999",
        "for ((;;)); do sleep infinity; done",
        "sleep 7",
    ],
)
def test_a_command_that_only_sleeps(command: str) -> None:
    assert shells.only_sleeps(command)


@pytest.mark.parametrize(
    "command",
    [
        "",
        "make",
        "while :; do sleep 3600; sync; done",
        "sleep 3600 && make",
        "sleep 60; ./job",
        "while sleep 60; do ./job; done",
        "sleep 5m; reboot",
        "while :; do :; done",
        "while true; do sleep 7; done",
        "until false; do sleep 5m; done",
        "sleep $(next)",
    ],
)
def test_a_command_that_does_something_besides(command: str) -> None:
    assert not shells.only_sleeps(command)


@pytest.mark.parametrize(
    ("line", "command"),
    [("sh -c make", "make"), ("bash -lc make", "make"), ("bash job.sh -c make", ""), ("sh", ""), ("sh -c", "")],
)
def test_the_command_of_a_shell(line: str, command: str) -> None:
    assert shells.command_of(line.split()) == command
