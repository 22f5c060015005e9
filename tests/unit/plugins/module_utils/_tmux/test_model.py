# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What tmux lists is read as it is, or said to be unread; nothing that a user writes can pass for something else."""

import json
import time
from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import to_text
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import fields, model
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.dialect import parse_version
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.fields import CLIENT, PANE, SESSION, WINDOW
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Listing, Session
from ansible_collections.fleet.tmux.tests.support import sessions as make
from hypothesis import given
from hypothesis import strategies as st

NONCE = "0123456789abcdef"
BUSY = 30
"""Seconds of CPU, which no other load of the machine counts for."""
LISTINGS = sorted((Path(__file__).parent / "fixtures" / "listings").glob("*.txt"))
# What comes out of a process is bytes: text without the surrogates that stand for no byte.
TEXT = st.binary(max_size=30).map(to_text).filter(lambda text: NONCE not in text)


def recorded(path: Path) -> Listing:
    return model.parse(recording(path), NONCE)


def recording(path: Path) -> bytes:
    """What that tmux lists. A field that we have come to ask for since then is empty, as one that it does not know."""
    data = path.read_bytes()
    then = json.loads((path.parent / "columns.json").read_text(encoding="utf-8"))
    now = {kind: list(fields.columns(of)) for kind, of in zip("swpc", (SESSION, WINDOW, PANE, CLIENT))}
    if then == now:
        return data
    rows = []
    for kind, texts in model.rows(to_text(data), NONCE):
        known = dict(zip(then[kind], texts)) if kind in now else {}
        rows.append(make.row(NONCE, kind, [known.get(name, "") for name in now[kind]] if known else texts) + "\n")
    return "".join(rows).encode("utf-8", "surrogateescape")


def without_clients(session: Session) -> Session:
    return session._replace(clocks=dict(session.clocks, client_activity=None), clients=())


# --- recorded


def test_there_are_recordings_of_every_generation() -> None:
    versions = {path.stem for path in LISTINGS}
    assert {"3.0a", "3.1c", "3.2a", "3.3a", "3.4", "3.5a", "3.6b", "3.7c"} <= versions
    assert any(version.startswith("2.7") for version in versions)


@pytest.mark.parametrize("path", LISTINGS, ids=lambda path: str(path.stem))
def test_a_recorded_listing_is_read(path: Path) -> None:
    listing = recorded(path)
    new = parse_version(path.stem)
    assert listing.unread == ()
    assert listing.version.text == path.stem
    assert listing.pid is not None and listing.start_time is not None
    by_name = {session.name: session for session in listing.sessions}
    names = ["a, b} 'c' \"d\" #{e 🙂", "exited", "first", "group", "kept", "peer", "shot", "three panes"]
    # tmux keeps, rewrites or refuses the other two; what it holds is what is read.
    names.append("x\\$y" if (3, 2) <= (new.major, new.minor) <= (3, 4) else "x$y")
    if not new.at_least(3, 7):
        names.append("line\\nbreak" if new.at_least(3, 2) else "line\nbreak")
    assert sorted(by_name) == sorted(names)

    kept = by_name["kept"]
    assert kept.keep == "2026-12-24 #{pid}"
    assert kept.attached == 1
    attached = kept.clocks["session_last_attached"]
    assert attached is not None and (kept.clocks["client_activity"] or 0) >= attached
    others = [it for it in listing.sessions if it is not kept]
    assert all(it.attached == 0 and it.clocks["session_last_attached"] is None for it in others)

    shapes = [(it.name, it.active, len(it.panes)) for it in by_name["three panes"].windows]
    assert shapes == [("one", True, 1), ("two|,;'\"", False, 2)]
    assert len(set(by_name["three panes"].pids)) == 3
    assert {it.title for it in by_name["three panes"].panes} == {"title of %1", "title of %2", "title of %3"}
    assert {it.path for it in by_name["three panes"].panes} == {"/"}
    assert {it.command for it in by_name["three panes"].panes} == {"sh"}

    group, peer = by_name["group"], by_name["peer"]
    assert group.group == peer.group == "group"
    assert group.windows[0].id == peer.windows[0].id and group.pids == peer.pids and group.id != peer.id

    (exited,), (shot,) = by_name["exited"].panes, by_name["shot"].panes
    assert (exited.dead, exited.pid, exited.status, exited.signal) == (True, None, 3, "")
    assert (shot.dead, shot.pid, shot.status, shot.signal) == (True, None, None, "9" if new.at_least(3, 3) else "")
    assert by_name["exited"].pids == []


@pytest.mark.parametrize("path", LISTINGS, ids=lambda path: str(path.stem))
def test_guards_and_identities_are_of_the_session(path: Path) -> None:
    listing = recorded(path)
    assert len({session.guard for session in listing.sessions}) == len(listing.sessions)
    for session in listing.sessions:
        begin = "%s/%s/%s/%d/" % (listing.pid, listing.start_time, session.id, session.created)
        assert session.identity == begin + session.name
        assert session.guard.startswith(begin) and session.guard.endswith("/" + session.name)
        if listing.version.at_least(2, 9):
            for window in session.windows:
                assert "%s=%d" % (window.id, window.clocks["window_activity"] or 0) in session.guard
        for pane in session.panes:
            assert pane.id in pane.guard and session.id in pane.guard


@pytest.mark.parametrize("path", LISTINGS, ids=lambda path: str(path.stem))
def test_a_listing_that_was_cut_off_is_never_half_believed(path: Path) -> None:
    data = recording(path)
    whole = {session.id: session for session in recorded(path).sessions}
    clientless = {key: without_clients(session) for key, session in whole.items()}
    for end in range(0, len(data), 211):
        part = model.parse(data[:end], NONCE)
        for session in part.sessions:
            assert without_clients(session) == clientless[session.id]
        assert not {lost.id for lost in part.unread} & {session.id for session in part.sessions}


@pytest.mark.parametrize("path", LISTINGS, ids=lambda path: str(path.stem))
def test_a_row_that_is_missing_or_twice_makes_its_session_unread(path: Path) -> None:
    rows = recording(path).decode("utf-8").split(NONCE + "|")[1:]
    for number, row in enumerate(rows):
        kind, identity = row.split(NONCE + ",")[:2]
        if kind in "gwp":
            without = NONCE + "|" + (NONCE + "|").join(rows[:number] + rows[number + 1 :])
            found = model.parse(without.encode("utf-8"), NONCE)
            assert identity in {lost.id for lost in found.unread}
            assert identity not in {session.id for session in found.sessions}
        if kind in "sgw":
            twice = NONCE + "|" + (NONCE + "|").join(rows[: number + 1] + rows[number:])
            found = model.parse(twice.encode("utf-8"), NONCE)
            assert identity in {lost.id for lost in found.unread}
            assert identity not in {session.id for session in found.sessions}


# --- hostile


@given(st.lists(TEXT, min_size=9, max_size=9), st.sampled_from(["2.7", "3.3a", "3.7c", "master"]))
def test_no_text_can_be_anything_but_itself(texts: List[str], version: str) -> None:
    keys = ("command", "path", "title", "start_command")
    pane = make.pane(**dict(zip(keys, texts)))
    window = make.window(pane, name=texts[4])
    session = make.session(texts[5], window, group=texts[6], keep=texts[7], guard=texts[8])
    other = make.session("other", make.window(make.pane(id="%2"), id="@2"), id="$2")
    listing = model.parse(make.listed([session, other], NONCE, version), NONCE)
    assert listing.sessions == (session, other)
    assert listing.unread == ()
    assert (listing.pid, listing.start_time) == (99, 5)


def test_rows_that_a_user_forges_are_no_rows() -> None:
    forged = make.row("fedcba9876543210", "s", ["$7", "99", "5"]) + "\n$7 forged\n0123456789|s"
    session = make.session(forged)
    listing = model.parse(b"a hook says hello\n" + make.listed([session], NONCE) + b"and good bye\n", NONCE)
    assert listing.sessions == (session,)


def test_a_client_that_the_session_does_not_count_is_attached_too() -> None:
    data = make.listed([make.session()], NONCE)
    for clock in ("1700000001", "1700000009", "1700000003"):
        data += make.row(NONCE, "c", ["$1", "12", "/dev/pts/3", "1700000000", "0", clock]).encode() + b"\n"
    data += make.row(NONCE, "c", ["", "", "", "", "", "1700000020"]).encode()  # a client without a session
    (session,) = model.parse(data, NONCE).sessions
    assert (session.attached, session.clocks["client_activity"]) == (3, 1700000009)


def test_only_34_prints_a_dollar_with_a_backslash() -> None:
    data = make.listed([make.session("a\\$b", keep="\\$x")], NONCE, "3.4")
    (read,) = model.parse(data, NONCE).sessions
    assert (read.name, read.keep) == ("a$b", "$x")
    (read,) = model.parse(data.replace(b"3.4", b"3.5"), NONCE).sessions
    assert (read.name, read.keep) == ("a\\$b", "\\$x")


@pytest.mark.parametrize(
    "field, value",
    [
        ("session_id", "1"),
        ("session_id", "$"),
        ("session_id", "$1x"),
        ("session_id", "@1"),
        ("session_created", "soon"),
        ("session_activity", ""),
        ("session_attached", "²"),
        ("session_last_attached", "never"),
        ("session_created", "-1"),
        ("session_activity", "9" * 16),
        ("session_windows", "9" * 4301),
        ("start_time", "-0"),
        ("pid", "+1"),
        ("@keep", "x" * (fields.NAME_LIMIT + 1)),
    ],
)
def test_a_session_with_a_field_that_makes_no_sense_is_unread(field: str, value: str) -> None:
    good = make.session("good", make.window(make.pane(id="%2"), id="@2"), id="$2")
    listing = model.parse(changed(make.listed([make.session("odd"), good], NONCE), SESSION, field, value), NONCE)
    assert [session.name for session in listing.sessions] == ["good"]
    assert [lost.name for lost in listing.unread] == ["odd"]


def changed(data: bytes, of: str, field: str, value: str) -> bytes:
    """A listing with another value of a field in the first row of its kind; of an id, in all rows with it."""
    kind, at = of[0], fields.columns(of).index(field)
    rows = model.rows(to_text(data), NONCE)
    first = next(texts for known, texts in rows if known == kind)
    was = first[at]
    first[at] = value
    for _kind, texts in rows:
        if field == "session_id" and texts[0] == was:
            texts[0] = value
    return "".join(make.row(NONCE, known, texts) for known, texts in rows).encode("utf-8", "surrogateescape")


@pytest.mark.parametrize(
    "field, value",
    [
        ("pane_id", "1"),
        ("pane_id", "%x"),
        ("pane_pid", "x"),
        ("pane_pid", ""),
        ("pane_pid", "-4711"),
        ("pane_dead", "2"),
        ("pane_dead_status", "y"),
        ("pane_width", ""),
    ],
)
def test_a_session_with_a_pane_that_makes_no_sense_is_unread(field: str, value: str) -> None:
    data = changed(make.listed([make.session("odd")], NONCE), PANE, field, value)
    listing = model.parse(data, NONCE)
    assert (listing.sessions, [lost.name for lost in listing.unread]) == ((), ["odd"])


@pytest.mark.parametrize(
    "field, value", [("window_activity", "-5"), ("window_panes", "9" * 5000), ("window_active", "")]
)
def test_a_session_with_a_window_that_makes_no_sense_is_unread(field: str, value: str) -> None:
    listing = model.parse(changed(make.listed([make.session("odd")], NONCE), WINDOW, field, value), NONCE)
    assert (listing.sessions, [lost.name for lost in listing.unread]) == ((), ["odd"])


def test_a_server_whose_numbers_are_endless_costs_no_time() -> None:
    rows = make.listed([make.session()], NONCE)
    endless = b"9" * 2000000
    before = time.process_time()
    listing = model.parse(rows.replace(b"4711", endless).replace(b"%d" % (make.NOW - 1000), endless), NONCE)
    assert time.process_time() - before < BUSY
    assert (listing.sessions, len(listing.unread)) == ((), 1)


ODD = ["", "$1", "@1", "%1", "0", "1", "²", "-1", "3.3", "9" * 5000, "9" * 5000 + ".1"]
FIELD = st.one_of(st.sampled_from(ODD), TEXT)
ROW = st.tuples(st.sampled_from("sgwpcx"), st.lists(FIELD, max_size=17))


@given(st.lists(ROW, max_size=12), TEXT)
def test_a_server_that_makes_everything_up_does_no_harm(rows: List[Tuple[str, List[str]]], noise: str) -> None:
    text = noise.join(make.row(NONCE, kind, fields) for kind, fields in rows)
    model.parse(text.encode("utf-8", "surrogateescape"), NONCE)


@given(st.lists(ROW, max_size=5), TEXT)
def test_rows_come_back_as_they_were_written(rows: List[Tuple[str, List[str]]], noise: str) -> None:
    noise = noise.replace(NONCE[-1], "")
    text = noise.join(make.row(NONCE, kind, fields) for kind, fields in rows)
    assert model.rows(noise + text + noise, NONCE) == rows


def test_a_server_that_lists_without_end_does_not_keep_us_busy() -> None:
    window = make.window(make.pane())
    panes = [make.pane(id="%%%d" % number) for number in range(3000)]
    session = make.session("s", *[window._replace(panes=tuple(panes)) for _number in range(2)])
    data = make.listed([session], NONCE)
    one = data[data.index(("%s|w" % NONCE).encode()) :].split(b"\n", 1)[0] + b"\n"
    before = time.process_time()
    model.parse(data + one * 3000, NONCE)
    assert time.process_time() - before < BUSY


def test_a_linked_window_is_read_once_for_each_place() -> None:
    window = make.window(make.pane(), make.pane(id="%2"))
    session = make.session("s", window, window._replace(number=4))
    assert model.parse(make.listed([session], NONCE), NONCE).sessions == (session,)


@pytest.mark.parametrize("word", ["please run this", "x" * 21, "9\n", "é"])
def test_a_server_cannot_say_anything_with_a_signal(word: str) -> None:
    """It goes into messages as it is."""
    values: Dict[str, Any] = dict.fromkeys(fields.columns(PANE), "")
    values.update(pane_id="%1", pane_dead=True)
    for good in ("", "9", "SIGRTMIN+3"):
        assert model._pane(dict(values, pane_dead_signal=good)).signal == good
    with pytest.raises(ValueError, match="pane_dead_signal: it is no signal"):
        model._pane(dict(values, pane_dead_signal=word))
