# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wrong with variables on make's command line, in one line: .ci/variables.py KNOWN,... UNKNOWN,... EMPTY,...

make itself takes any variable, and nothing heeds one that is mistyped: a cleanup that was to be of some hosts, or only
a check, would be of all of this machine, and real. Standard library only.
"""

import difflib
import sys
import typing as t


def problems(known: t.Sequence[str], unknown: t.Sequence[str], empty: t.Sequence[str]) -> t.List[str]:
    """What to say of names that nobody heeds, and of those whose value is missing."""
    said = [_unknown(name, known) for name in unknown]
    return said + ["%s is empty; leave it out if that is meant" % name for name in empty]


def _unknown(name: str, known: t.Sequence[str]) -> str:
    if name.startswith("tmux_cleanup_"):
        return "%s is a variable of Ansible, which is given to it like this: ARGS='-e %s=...'" % (name, name)
    meant = difflib.get_close_matches(name.upper(), known, 1, 0.5)
    return "no variable is called %s; %s" % (
        name,
        "did you mean %s?" % meant[0] if meant else "there are " + ", ".join(sorted(known)),
    )


def main(arguments: t.Sequence[str]) -> None:
    known, unknown, empty = (argument.split() for argument in arguments)
    print("; ".join(problems(known, unknown, empty)))


if __name__ == "__main__":
    main(sys.argv[1:])
