# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reports that are to be merged may be anything; what is none is named, and costs the others nothing.

Before, the first of these made the whole task fail, and a FIFO hung it.
"""

import json
import os
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

import pytest
from ansible_collections.fleet.tmux.plugins.plugin_utils import _collected, _shape
from ansible_collections.fleet.tmux.plugins.plugin_utils._audit import audit_lines
from ansible_collections.fleet.tmux.plugins.plugin_utils._collected import collected
from ansible_collections.fleet.tmux.plugins.plugin_utils._metrics import metrics
from ansible_collections.fleet.tmux.plugins.plugin_utils._page import page
from ansible_collections.fleet.tmux.plugins.plugin_utils._report import Json, ReportError, merged
from ansible_collections.fleet.tmux.plugins.plugin_utils._shape import ShapeError, require_shape
from ansible_collections.fleet.tmux.plugins.plugin_utils._table import table
from ansible_collections.fleet.tmux.tests.support.reports import RUN, SCHEMA, result, valid, whole
from hypothesis import given, settings
from hypothesis import strategies as st

GOOD = whole({"good": result()}, id="good")
TEXT = json.dumps(whole())


def changed(**more: Any) -> str:
    return json.dumps(dict(whole(), **more))


def within(*path: Any, value: Any) -> str:
    """A report in which one thing is something else."""
    made: Any = json.loads(TEXT)
    part = made
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    return json.dumps(made)


NONSENSE: List[Tuple[Any, str]] = [
    (b"", "Expecting value"),
    (b"\xff\xfe{}", "utf-8"),
    (b"\x00" * 100, "Expecting value"),
    (TEXT[:-20], "cannot be read"),
    ("[" * 100000, "nested too deeply"),
    ('{"a":' * 100000, "nested too deeply"),
    ("[]", "is no report of fleet.tmux"),
    ('"x"', "is no report of fleet.tmux"),
    (changed(schema="x"), "is no report of fleet.tmux"),
    (changed(schema_version="3.0"), "this collection reads 2"),
    (changed(schema_version="2.x"), r"it\.schema_version is '2\.x'"),
    (changed(hosts={}), r"it\.hosts is an object, and should be array"),
    (changed(hosts=[7]), r"it\.hosts\[0\] is 7, and should be object"),
    (changed(hosts=whole()["hosts"] * 2), "the host web1 is in it twice"),
    (changed(run=None), r"it\.run is None, and should be object"),
    (changed(guard={}), r"it\.guard has no max_removals"),
    (within("run", "finished", value="yesterday"), r"it\.run\.finished is 'yesterday'"),
    (within("run", "started", value="2027-01-15T08:00:00"), r"it\.run\.started"),
    (within("run", "merged", value=[{"id": "x"}]), r"it\.run\.merged\[0\] has no started, finished, guard"),
    (within("run", "policy", value=[]), r"it\.run\.policy is an array"),
    (within("hosts", 0, "status", value="odd"), r"it\.hosts\[0\]\.status is 'odd'"),
    (within("hosts", 0, "status", value=["ok"]), r"it\.hosts\[0\]\.status is an array"),
    (within("hosts", 0, "counts", "odd", value="1"), r"it\.hosts\[0\]\.counts\.odd is '1', and should be integer"),
    (within("hosts", 0, "sessions", 0, "idle", value=True), r"sessions\[0\]\.idle is True"),
    (within("hosts", 0, "sessions", 0, "idle", value=1.5), r"sessions\[0\]\.idle is 1\.5"),
    (within("hosts", 0, "sessions", 0, "survivors", value=[None]), r"survivors\[0\] is None"),
    (within("hosts", 0, "sessions", 0, "idle", value=float("nan")), "it has NaN for a number"),
    (within("hosts", 0, "news", value=float("-inf")), "it has -Infinity for a number"),
    (TEXT.replace('"idle": 100', '"idle": 1e999', 1), "it has 1e999 for a number"),
    (TEXT.replace('"idle": 100', '"idle": ' + "9" * 2000000, 1), "it has a number of 2000000 digits"),
    (within("hosts", 0, "news", value=json.loads("[" * 100 + "]" * 100)), "things within each other"),
    (within("run", "policy", value={"idle": json.loads('{"a":' * 50 + "1" + "}" * 50)}), "things within each other"),
]


@pytest.mark.parametrize(("text", "said"), NONSENSE, ids=lambda it: str(it)[:25])
def test_one_that_is_no_report_costs_the_others_nothing(tmp_path: Path, text: Any, said: str) -> None:
    (tmp_path / "a.json").write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    (tmp_path / "b.json").write_text(json.dumps(GOOD), encoding="utf-8")
    found = collected([str(tmp_path / "*.json")])
    assert list(found.reports) == [str(tmp_path / "b.json")]
    (unread,) = found.unread
    assert unread["file"] == str(tmp_path / "a.json")
    assert unread["reason"].startswith(str(tmp_path / "a.json"))
    with pytest.raises(AssertionError, match=said):
        raise AssertionError(unread["reason"])
    assert len(unread["reason"]) < 1500
    made = valid(merged(list(found.reports.values()), RUN, found.unread))
    for show in (table, page):
        assert str(tmp_path / "a.json") in show(made)
        assert "1 report not merged" in show(made)
    assert [host["host"] for host in made["hosts"]] == ["good"]


@pytest.mark.parametrize("hindrance", ["fifo", "directory", "loop", "nothing", "open", "large"])
def test_a_file_that_is_none_is_not_waited_for(tmp_path: Path, hindrance: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "a.json"
    if hindrance == "fifo":
        os.mkfifo(place)
    elif hindrance == "directory":
        place.mkdir()
    elif hindrance == "loop":
        place.symlink_to("a.json")
    elif hindrance == "nothing":
        place.symlink_to("nowhere")
    else:
        place.write_text(TEXT, encoding="utf-8")
        place.chmod(0o666 if hindrance == "open" else 0o600)
    if hindrance == "large":
        monkeypatch.setattr(_collected, "LARGEST", len(TEXT) - 1)
    else:
        (tmp_path / "b.json").write_text(json.dumps(GOOD), encoding="utf-8")
    found = collected([str(tmp_path / "*.json"), "/nowhere/*", "x\0y"])
    assert len(found.reports) == (hindrance != "large")
    assert [one["file"] for one in found.unread] == [str(place), "/nowhere/*", "x\\x00y"]
    assert found.unread[1]["reason"] == "there is no file /nowhere/*"
    assert found.unread[0]["reason"].startswith("%s cannot be read: " % place)


def test_a_name_in_a_message_is_harmless(tmp_path: Path) -> None:
    (tmp_path / "a\x1b[2J\n\udcff.json").write_text("{", encoding="utf-8")
    (unread,) = collected([str(tmp_path / "*.json")]).unread
    assert (unread["file"] + unread["reason"]).isprintable()


def test_thousands_that_are_none_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_collected, "_MOST_UNREAD", 3)
    for number in range(5):
        (tmp_path / str(number)).touch()
    unread = collected([str(tmp_path / "*")]).unread
    assert len(unread) == 4
    assert unread[3] == {"file": "", "reason": "2 more cannot be read"}


def test_a_file_that_is_named_twice_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(TEXT, encoding="utf-8")
    assert list(collected([str(tmp_path / "a"), str(tmp_path / "*")]).reports) == [str(tmp_path / "a")]


def test_runs_and_checks_are_no_sum_and_both_are_named(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(TEXT, encoding="utf-8")
    (tmp_path / "b").write_text(json.dumps(whole(check_mode=True)), encoding="utf-8")
    with pytest.raises(ReportError, match="%s is of check mode, %s is not" % (tmp_path / "b", tmp_path / "a")):
        collected([str(tmp_path / "*")])


def test_what_could_not_be_merged_is_told_on_by_who_merges_that() -> None:
    lost = [{"file": "x", "reason": "x cannot be read"}]
    once = valid(merged([whole()], RUN, lost))
    assert merged([once, GOOD], RUN, lost)["run"]["unread"] == lost


# --- the shape --------------------------------------------------------------------------------------------------------

KNOWN = {"$ref", "type", "required", "properties", "additionalProperties", "items", *_shape._DEMANDS}
NO_DEMANDS = {"$schema", "$id", "title", "description"}


def keywords(schema: Any, is_names: bool = False) -> Dict[str, None]:
    """All keywords that a schema uses."""
    found: Dict[str, None] = {}
    if isinstance(schema, dict):
        for key, part in schema.items():
            found.update({} if is_names else {key: None})
            if is_names or key in ("items", "additionalProperties", "properties"):
                found.update(keywords(part, key == "properties" and not is_names))
    return found


def test_every_keyword_of_the_schema_is_understood() -> None:
    assert set(keywords(SCHEMA)) <= KNOWN | NO_DEMANDS
    assert len(keywords(SCHEMA)) > 10


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "ok", "removed", "2027-01-15T08:00:00Z", "<b>\x1b[2J\ud800", "x" * 5000]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["host", "id", "a"]), inner, max_size=3)
    ),
    max_leaves=5,
)


def places(value: Any) -> List[Tuple[Any, Any]]:
    """Everything in a report that may become something else."""
    found: List[Tuple[Any, Any]] = []
    todo = [value]
    while todo:
        part = todo.pop()
        keys: Any = part if isinstance(part, dict) else range(len(part)) if isinstance(part, list) else ()
        found += [(part, key) for key in keys]
        todo += [part[key] for key in keys]
    return found


@settings(max_examples=50)
@given(st.data())
def test_whatever_is_changed_in_a_report_it_is_refused_or_merged(data: st.DataObject) -> None:
    one = json.loads(TEXT)
    for _change in range(data.draw(st.integers(1, 2))):
        part, key = data.draw(st.sampled_from(places(one)))
        if data.draw(st.booleans()) or not isinstance(part, dict):
            part[key] = data.draw(VALUES)
        else:
            del part[key]
    try:
        require_shape(one, SCHEMA)
    except ShapeError:
        return
    made = valid(merged([one, GOOD], RUN))
    shows: List[Callable[[Json], Any]] = [table, page, metrics, audit_lines, json.dumps]
    for show in shows:
        assert show(made)


def test_a_good_report_has_its_shape() -> None:
    require_shape(whole(), SCHEMA)
    require_shape(merged([whole(), GOOD], RUN), SCHEMA)
    require_shape(dict(whole(), schema_version="2.9", news={"a": [1]}), SCHEMA)
