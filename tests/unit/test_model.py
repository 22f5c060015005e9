# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What tmux lists is read as it is, or said to be unread; nothing that a user writes can pass for something else."""

import time
from pathlib import Path
from typing import Any, List, Tuple

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils import _model as model
from ansible_collections.fleet.tmux.plugins.module_utils import _tmux as tmux
from ansible_collections.fleet.tmux.plugins.module_utils._model import Listing
from ansible_collections.fleet.tmux.tests.unit import make
from ansible_collections.fleet.tmux.tests.unit.world import PATIENCE, World, eventually
from hypothesis import given
from hypothesis import strategies as st

NONCE = "0123456789abcdef"
LISTINGS = sorted((Path(__file__).parent / "fixtures" / "listings").glob("*.txt"))
# What comes out of a process is bytes: text without the surrogates that stand for no byte.
TEXT = st.binary(max_size=30).map(tmux.to_text).filter(lambda text: NONCE not in text)


def recorded(path: Path) -> Listing:
    return model.parse(path.read_bytes(), NONCE)


# --- recorded


def test_there_are_recordings_of_every_generation() -> None:
    versions = {path.stem for path in LISTINGS}
    assert {"3.0a", "3.1c", "3.2a", "3.3a", "3.4", "3.5a", "3.6b", "3.7c"} <= versions
    assert any(version.startswith("2.7") for version in versions)


@pytest.mark.parametrize("path", LISTINGS, ids=lambda path: str(path.stem))
def test_a_recorded_listing_is_read(path: Path) -> None:
    listing = recorded(path)
    new = tmux.parse_version(path.stem)
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
    assert kept.last_attached is not None and kept.client_activity >= kept.last_attached
    assert all(it.attached == 0 and it.last_attached is None for it in listing.sessions if it is not kept)

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
                assert "%s=%d" % (window.id, window.activity) in session.guard
        for pane in session.panes:
            assert pane.id in pane.guard and session.id in pane.guard


@pytest.mark.parametrize("path", LISTINGS, ids=lambda path: str(path.stem))
def test_a_listing_that_was_cut_off_is_never_half_believed(path: Path) -> None:
    data = path.read_bytes()
    whole = {session.id: session for session in recorded(path).sessions}
    clientless = {key: session._replace(client_activity=0) for key, session in whole.items()}
    for end in range(0, len(data), 211):
        part = model.parse(data[:end], NONCE)
        for session in part.sessions:
            assert session._replace(client_activity=0) == clientless[session.id]
        assert not {lost.id for lost in part.unread} & {session.id for session in part.sessions}


@pytest.mark.parametrize("path", LISTINGS, ids=lambda path: str(path.stem))
def test_a_row_that_is_missing_or_twice_makes_its_session_unread(path: Path) -> None:
    rows = path.read_bytes().decode("utf-8").split(NONCE + "|")[1:]
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
    forged = model.row("fedcba9876543210", "s", ["$7", "99", "5"]) + "\n$7 forged\n0123456789|s"
    session = make.session(forged)
    listing = model.parse(b"a hook says hello\n" + make.listed([session], NONCE) + b"and good bye\n", NONCE)
    assert listing.sessions == (session,)


def test_a_client_that_the_session_does_not_count_is_attached_too() -> None:
    data = make.listed([make.session()], NONCE)
    for clock in ("1700000001", "1700000009", "1700000003"):
        data += model.row(NONCE, "c", ["$1", clock]).encode() + b"\n"
    data += model.row(NONCE, "c", ["", "1700000020"]).encode()  # a client without a session
    (session,) = model.parse(data, NONCE).sessions
    assert (session.attached, session.client_activity) == (3, 1700000009)


def test_only_34_prints_a_dollar_with_a_backslash() -> None:
    data = make.listed([make.session("a\\$b", keep="\\$x")], NONCE, "3.4")
    (read,) = model.parse(data, NONCE).sessions
    assert (read.name, read.keep) == ("a$b", "$x")
    (read,) = model.parse(data.replace(b"3.4", b"3.5"), NONCE).sessions
    assert (read.name, read.keep) == ("a\\$b", "\\$x")


@pytest.mark.parametrize(
    "field, value",
    [
        ("id", "1"),
        ("id", "$"),
        ("id", "$1x"),
        ("id", "@1"),
        ("created", "soon"),
        ("activity", ""),
        ("attached", "²"),
        ("last_attached", "never"),
    ],
)
def test_a_session_with_a_field_that_makes_no_sense_is_unread(field: str, value: str) -> None:
    odd = make.session("odd")._replace(**{field: value})  # type: ignore[arg-type]
    good = make.session("good", make.window(make.pane(id="%2"), id="@2"), id="$2")
    listing = model.parse(make.listed([odd, good], NONCE), NONCE)
    assert [session.name for session in listing.sessions] == ["good"]
    assert [lost.name for lost in listing.unread] == ["odd"]


@pytest.mark.parametrize("field, value", [("id", "1"), ("id", "%x"), ("pid", "x"), ("status", "y"), ("width", "")])
def test_a_session_with_a_pane_that_makes_no_sense_is_unread(field: str, value: Any) -> None:
    odd = make.session("odd", make.window(make.pane()._replace(**{field: value})))
    listing = model.parse(make.listed([odd], NONCE), NONCE)
    assert (listing.sessions, [lost.name for lost in listing.unread]) == ((), ["odd"])


ODD = ["", "$1", "@1", "%1", "0", "1", "²", "-1", "3.3", "9" * 5000, "9" * 5000 + ".1"]
FIELD = st.one_of(st.sampled_from(ODD), TEXT)
ROW = st.tuples(st.sampled_from("sgwpcx"), st.lists(FIELD, max_size=17))


@given(st.lists(ROW, max_size=12), TEXT)
def test_a_server_that_makes_everything_up_does_no_harm(rows: List[Tuple[str, List[str]]], noise: str) -> None:
    text = noise.join(model.row(NONCE, kind, fields) for kind, fields in rows)
    model.parse(text.encode("utf-8", "surrogateescape"), NONCE)


@given(st.lists(ROW, max_size=5), TEXT)
def test_rows_come_back_as_they_were_written(rows: List[Tuple[str, List[str]]], noise: str) -> None:
    noise = noise.replace(NONCE[-1], "")
    text = noise.join(model.row(NONCE, kind, fields) for kind, fields in rows)
    assert model.rows(noise + text + noise, NONCE) == rows


def test_a_server_that_lists_without_end_does_not_keep_us_busy() -> None:
    window = make.window(make.pane())
    panes = [make.pane(id="%%%d" % number) for number in range(3000)]
    session = make.session("s", *[window._replace(panes=tuple(panes)) for _number in range(2)])
    data = make.listed([session], NONCE)
    one = data[data.index(("%s|w" % NONCE).encode()) :].split(b"\n", 1)[0] + b"\n"
    before = time.monotonic()
    model.parse(data + one * 3000, NONCE)
    assert time.monotonic() - before < PATIENCE / 2


def test_a_linked_window_is_read_once_for_each_place() -> None:
    window = make.window(make.pane(), make.pane(id="%2"))
    session = make.session("s", window, window._replace(number=4))
    assert model.parse(make.listed([session], NONCE), NONCE).sessions == (session,)


# --- real


def test_a_real_server_is_read_with_one_client(shared: World) -> None:
    client = shared.client()
    listing = model.read(client)
    assert client.calls == 1
    assert listing.pid == shared.pid()
    assert listing.version == shared.version
    (session,) = listing.sessions
    assert (session.name, session.id, session.attached, session.keep) == ("first", "$0", 0, "")
    (pane,) = session.panes
    assert pane.id == "%0" and not pane.dead


def test_a_server_without_sessions_has_none(server: World) -> None:
    server.tmux("set-option", "-s", "exit-empty", "off")
    server.tmux("kill-session", "-t", "$0")
    listing = model.read(server.client())
    assert (listing.sessions, listing.unread) == ((), ())


def test_no_server_is_no_session(absent: World) -> None:
    with pytest.raises(tmux.NoServer):
        model.read(absent.client())
    assert model.read_or_nothing(absent.client()).sessions == ()


def test_an_attached_client_and_its_clock_are_seen(server: World) -> None:
    with server.attached("$0"):
        session = server.session("$0")
        assert session.attached == 1
        assert session.last_attached is not None
        assert session.client_activity >= session.created
    session = eventually(lambda: [it for it in server.listing().sessions if not it.attached], "it is detached")[0]
    assert session.last_attached is not None


def test_a_window_in_two_places_of_one_session_is_read(server: World) -> None:
    identity = server.new("links")
    server.tmux("split-window", "-d", "-t", identity + ":", "cat")
    number = server.session(identity).windows[0].number
    server.tmux("link-window", "-d", "-s", "%s:%d" % (identity, number), "-t", "%s:7" % identity)
    session = server.session(identity)
    assert [(window.number, len(window.panes)) for window in session.windows] == [(number, 2), (7, 2)]
    assert len({window.id for window in session.windows}) == 1
