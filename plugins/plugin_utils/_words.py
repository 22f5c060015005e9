# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The words in which a report is told to people: what was done, or would be; numbers of things, and sizes. Pure."""

from typing import Any, Mapping, NamedTuple

Report = Mapping[str, Any]


class Words(NamedTuple):
    """The words for what was done, or would be."""

    removed: str
    stopped: str
    freed: str
    to_remove: str
    to_mark: str
    to_keep: str
    removed_title: str
    removed_lead: str
    marked_title: str
    marked_lead: str
    kept_title: str
    reasons_title: str
    why_kept: str


_DONE = Words(
    removed="removed",
    stopped="The limit for the fleet stopped this run: no session removed",
    freed="Memory freed",
    to_remove="Removed",
    to_mark="Marked",
    to_keep="Kept",
    removed_title="Removed",
    removed_lead="Sessions that were removed, and why.",
    marked_title="Given notice",
    marked_lead="Sessions that a later run removes, unless somebody uses them before.",
    kept_title="Kept",
    reasons_title="Why sessions were kept",
    why_kept="Why kept",
)
_PLANNED = Words(
    removed="would be removed",
    stopped="The limit for the fleet would stop this run: no session would be removed",
    freed="Would be freed",
    to_remove="To remove",
    to_mark="To mark",
    to_keep="To keep",
    removed_title="Would be removed",
    removed_lead="Sessions that a real run would remove, and why.",
    marked_title="Would be given notice",
    marked_lead="Sessions that a real run would give notice.",
    kept_title="Would be kept",
    reasons_title="Why sessions would be kept",
    why_kept="Why keep",
)


def words_of(report: Report) -> Words:
    """The words for a report."""
    return _PLANNED if report["run"]["check_mode"] else _DONE


def grouped(number: int) -> str:
    """A number whose digits can be counted at a glance: ``21,034``."""
    return f"{number:,}"


def many(number: int, one: str, plural: str = "") -> str:
    """A number of things, like ``1 process`` and ``2 processes``."""
    return f"{grouped(number)} {one if number == 1 else plural or one + 's'}"


def sized(number: int) -> str:
    """A number of bytes, like ``5.0 MiB``."""
    for power, unit in ((3, "GiB"), (2, "MiB"), (1, "KiB")):
        if number >= 1024**power:
            return f"{number / 1024.0**power:.1f} {unit}"
    return "1 byte" if number == 1 else f"{number} bytes"
