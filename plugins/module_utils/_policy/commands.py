# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists of programs by name: those that only show something, and those that are always to be kept. Pure."""

import os
from typing import List, Optional, Sequence, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._policy.patterns import NAME_LIMIT, Matcher, matcher

DEFAULT = "default"
"""The element of a list that stands for all of :data:`SHOWING`."""

OWN = "./"
"""How the name begins of a program that somebody has made: it is called like one that only shows, and is another one.
Who names it in a list means it all the same."""

_KNOWN_BYTES = 15
"""The kernel keeps so much of a program's name (TASK_COMM_LEN)."""

SHOWING: Tuple[str, ...] = tuple(
    """
    less more most pg man info pinfo pspg moar moor
    tail multitail lnav journalctl dmesg logtop apachetop ngxtop varnishlog varnishstat varnishtop
    watch viddy hwatch
    top htop btop btm bpytop bashtop atop glances gtop vtop gotop ytop zenith nmon tload
    vmstat iostat mpstat pidstat sar sadc dstat dool pcp-dstat cifsiostat nfsiostat slabtop numatop turbostat powertop
    i7z s-tui fatrace udevadm systemd-cgtop virt-top xentop ctop k9s lazydocker
    iotop iotop-c iotop-py iftop ifstat nload nethogs bmon bwm-ng cbm vnstat slurm speedometer jnettop tcptrack
    iptraf-ng bandwhich wavemon tcpdump tshark conntrack ping ping6 gping prettyping mtr mtr-packet trip
    nvtop nvitop nvidia-smi gpustat radeontop amdgpu_top rocm-smi intel_gpu_top tegrastats jtop
    pg_top pg_activity mytop innotop mongotop mongostat
    tig gitui lazygit
    tty-clock peaclock tclock cmatrix unimatrix asciiquarium cacafire cacademo aafire cbonsai nyancat rain worms
    pipes pipes.sh sl genact cava yes lolcat figlet neofetch fastfetch
    """.split()
)
"""Programs that do nothing but show something, by the names that they are started with. What can also work for hours
without anybody (a file manager that copies, a client that forwards ports) is not among them."""


def named(option: str, given: Sequence[str], use_regex: bool) -> Optional[Matcher]:
    """Whether a program is on a list, by the name that the kernel knows it by; None for an empty list.

    :param given: names and patterns; :data:`DEFAULT` stands for the programs that only show something, but for those
        of which the name begins with :data:`OWN`.
    :raises OptionError: for a pattern that is no regular expression.
    """
    known = frozenset(_known(name) for name in SHOWING) if DEFAULT in given else frozenset()
    patterns = [each for each in given if each != DEFAULT]
    matches = matcher(option, patterns if use_regex else _with_known(patterns), use_regex)
    if not given:
        return None
    return lambda name: name in known or matches(_plain(name)[:NAME_LIMIT])


def _plain(name: str) -> str:
    return name[len(OWN) :] if name.startswith(OWN) else name


def _with_known(patterns: Sequence[str]) -> List[str]:
    """Names and patterns, and of every name that is too long for the kernel what it keeps of it."""
    return [*patterns, *(_known(name) for name in patterns if not set("*?[") & set(name))]


def _known(name: str) -> str:
    return os.fsdecode(os.fsencode(name)[:_KNOWN_BYTES])
