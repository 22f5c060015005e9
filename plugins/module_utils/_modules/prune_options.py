# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the options of ``tmux_session_prune`` say, as a run works with it."""

from typing import Any, Dict, FrozenSet, List, Optional, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._actions.hands import Settings
from ansible_collections.fleet.tmux.plugins.module_utils._actions.journal import Journal
from ansible_collections.fleet.tmux.plugins.module_utils._actions.notices import Notices
from ansible_collections.fleet.tmux.plugins.module_utils._actions.notify import Notifier
from ansible_collections.fleet.tmux.plugins.module_utils._actions.remember import Diary
from ansible_collections.fleet.tmux.plugins.module_utils._actions.snapshot import Archive, Retention
from ansible_collections.fleet.tmux.plugins.module_utils._actions.survivors import Ending
from ansible_collections.fleet.tmux.plugins.module_utils._actions.veto import Veto
from ansible_collections.fleet.tmux.plugins.module_utils._host.record import Record
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import brief
from ansible_collections.fleet.tmux.plugins.module_utils._modules.options import place_of, usual_place
from ansible_collections.fleet.tmux.plugins.module_utils._policy.commands import named
from ansible_collections.fleet.tmux.plugins.module_utils._policy.durations import written
from ansible_collections.fleet.tmux.plugins.module_utils._policy.guards import Limits
from ansible_collections.fleet.tmux.plugins.module_utils._policy.patterns import Matcher, matcher
from ansible_collections.fleet.tmux.plugins.module_utils._policy.rules import Policy
from ansible_collections.fleet.tmux.plugins.module_utils._policy.values import STANDARD_PLACE
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.servers import Host

_LISTS = ("patterns", "excludes", "protect_commands", "ignore_commands")
_USUAL: Tuple[List[str], ...] = ([], ["default"])
_LISTED = 60
"""Characters of a list in a line of a log."""


def policy(values: Dict[str, Any]) -> Policy:
    """What is to be removed."""
    return Policy(
        idle=values["idle"],
        older_than=values["older_than"],
        finished=bool(values["finished"]),
        activity=values["activity"],
        protect=tuple(values["protect"]),
        patterns=_matcher(values, "patterns"),
        excludes=_matcher(values, "excludes"),
        planned=_identities(values["planned"]),
        planned_marks=_identities(values["planned_marks"]),
        notice=values["notice"],
        ignore=named("ignore_commands", values["ignore_commands"], values["use_regex"]),
        protect_commands=named("protect_commands", values["protect_commands"], values["use_regex"]),
        protect_for=values["protect_for"] or {},
        attached_idle=values["attached_idle"],
        never_attached=values["never_attached"],
        where=values["where"] or {},
        keep_newest=values["keep_newest"],
        saves_all=values["snapshot_dir"] is not None and not values["allow_no_snapshot"],
    )


def _identities(planned: Optional[List[str]]) -> Optional[FrozenSet[str]]:
    return None if planned is None else frozenset(planned)


def _matcher(values: Dict[str, Any], option: str) -> Optional[Matcher]:
    return matcher(option, values[option], values["use_regex"]) if values[option] else None


def limits(values: Dict[str, Any]) -> Limits:
    """How much may be removed."""
    return Limits(values["max_removals"], values["max_percent"], values["max_removals_per_owner"])


def settings(values: Dict[str, Any], host: Host) -> Settings:
    """How gently it is to be done."""
    return Settings(
        notifier=_notifier(values, host),
        archive=_archive(values, host),
        ending=Ending(values["survivors"] == "terminate", values["grace_period"]),
        veto=Veto(values["veto_command"], host.timeout, host.uid == 0) if values["veto_command"] else None,
        diary=_diary(values, host),
        journal=Journal(Record(), in_short(values)),
    )


def in_short(values: Dict[str, Any]) -> str:
    """The policy as one reads it in a log: what chooses sessions, and what protects them."""
    spans = [(name, values[name]) for name in ("idle", "older_than", "never_attached", "attached_idle", "notice")]
    said = ["%s=%s" % (name, written(span)) for name, span in spans if span is not None]
    said += ["finished"] if values["finished"] else []
    said += ["activity=%s" % values["activity"]] if values["activity"] != "any" else []
    said += ["keep_newest=%d" % values["keep_newest"]] if values["keep_newest"] else []
    wearing = values["protect_for"] or {}
    protect = ["%s(%s)" % (word, written(wearing[word])) if word in wearing else word for word in values["protect"]]
    said.append("protect=" + (",".join(protect) or "nothing"))
    said += ["%s=%s" % (name, brief(",".join(values[name]), _LISTED)) for name in _LISTS if values[name] not in _USUAL]
    said += ["where=" + brief(",".join(sorted(values["where"])), _LISTED)] if values["where"] else []
    said += ["planned"] if values["planned"] is not None or values["planned_marks"] is not None else []
    return " ".join(said)


def _notifier(values: Dict[str, Any], host: Host) -> Notifier:
    """How people are told."""
    place = values["notices_dir"]
    if place == STANDARD_PLACE:
        # Nobody reads what others leave there; whoever runs this without root is the owner of all that goes.
        place = usual_place(host, "notices") if host.uid == 0 else None
    return Notifier(
        values["notice_message"] or None,
        values["notify_command"],
        host.timeout,
        host.uid == 0,
        None if place is None else Notices(place),
        values["mail"],
    )


def _diary(values: Dict[str, Any], host: Host) -> Optional[Diary]:
    """Where it is remembered what was seen, if that is wanted."""
    place = values["memory_dir"]
    if place is None:
        return None
    return Diary(place_of(place, "memory", host))


def _archive(values: Dict[str, Any], host: Host) -> Optional[Archive]:
    """Where snapshots go, if they are wanted."""
    place = values["snapshot_dir"]
    if place is None:
        return None
    keep = values["snapshot_keep"] or {}
    retention = Retention(keep.get("count"), keep.get("age"), keep.get("size"))
    return Archive(place_of(place, "snapshots", host), values["snapshot_colors"], retention)
