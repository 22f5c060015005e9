# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page as text: what it says of a report, and that no text of a user becomes markup."""

import base64
import hashlib
import json
import re
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Tuple

import jinja2
import jsonschema
import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import shown
from ansible_collections.fleet.tmux.plugins.plugin_utils._page import page
from ansible_collections.fleet.tmux.plugins.plugin_utils._words import many, sized
from ansible_collections.fleet.tmux.tests.page import samples
from ansible_collections.fleet.tmux.tests.page.samples import DAY, Report, broken, host, removed, report, session
from hypothesis import given
from hypothesis import strategies as st

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "report.schema.json").read_text(encoding="utf-8"))


class Page(HTMLParser):
    """What a page is made of."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: List[str] = []
        self.attributes: List[Tuple[str, str, Optional[str]]] = []
        self.texts: Dict[str, List[str]] = {}
        self._within: List[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: List[Tuple[str, Optional[str]]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in ("meta", "input"):
            self._within.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._within.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.setdefault(self._within[-1] if self._within else "", []).append(data)

    def said(self, tag: str) -> str:
        return "".join(self.texts[tag])


def title(made: Report) -> str:
    return Page(page(made)).said("title").removesuffix(" - tmux cleanup")


# --- the samples ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", samples.SAMPLES)
def test_the_samples_are_what_the_schema_says(name: str) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(samples.SAMPLES[name]())


def test_a_report_that_lacks_something_is_refused() -> None:
    """Rather than shown as if there were nothing."""
    made = samples.night()
    del made["hosts"][0]["sessions"][0]["owner"]
    with pytest.raises((KeyError, jinja2.UndefinedError)):
        page(made)


def test_keys_that_nobody_knows_yet_do_no_harm() -> None:
    made = samples.night()
    made["new"] = made["run"]["new"] = made["hosts"][0]["sessions"][0]["new"] = 1
    assert page(made) == page(samples.night())


# --- what the title says ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (report([]), "No host was looked at"),
        (report([host("a")]), "0 of 0 sessions on 1 host removed"),
        (report([host("a", [removed("s")])]), "1 of 1 session on 1 host removed"),
        (report([host("a", [removed("s"), removed("t")]), host("b")]), "2 of 2 sessions on 2 hosts removed"),
        (report([host("a", [removed("s")])], check_mode=True), "1 of 1 session on 1 host would be removed"),
        (
            report([host("a", [session("s", outcome="not_done")])]),
            "0 of 1 session on 1 host removed, 1 session not done",
        ),
        (
            report([host("a"), broken("b", "missing", "")]),
            "0 of 0 sessions on 2 hosts removed, 1 host has a problem",
        ),
        (
            report([broken("a", "failed", ""), broken("b", "unreachable", "")]),
            "No host could be looked at, 2 hosts have a problem",
        ),
        (samples.stopped(), "The limit for the fleet stopped this run: no session removed"),
        (
            report([host("a")], check_mode=True, guard={"stopped": True}),
            "The limit for the fleet would stop this run: no session would be removed",
        ),
    ],
)
def test_the_title_is_the_verdict(made: Report, told: str) -> None:
    assert title(made) == told


# --- numbers and times ------------------------------------------------------------------------------------------------


def test_texts_for_people() -> None:
    assert [sized(it) for it in (0, 1, 1023, 1024, 5 * 1024**2, 3 * 1024**3 // 2)] == [
        "0 bytes",
        "1 byte",
        "1023 bytes",
        "1.0 KiB",
        "5.0 MiB",
        "1.5 GiB",
    ]
    assert [many(1, "host"), many(2, "host"), many(0, "process", "processes")] == ["1 host", "2 hosts", "0 processes"]
    assert shown("a\x07\u202e\U000e0001 \u00e9") == "a\\x07\\u202e\\U000e0001 \u00e9"


def times(made: Report) -> List[Tuple[str, str]]:
    return re.findall(r'<time datetime="([^"]*)">([^<]*)</time>', page(made))


def test_times_are_utc_and_for_machines_too() -> None:
    made = report([host("a", [session("s", created=0)], judged_at="2025-11-28T08:30:00.5+01:00")])
    assert times(made) == [
        ("2025-11-28T07:02:43Z", "2025-11-28 07:02 UTC"),
        ("2025-11-28T07:30:00Z", "2025-11-28 07:30"),
        ("1970-01-01T00:00:00Z", "1970-01-01 00:00"),
        ("1970-01-01T00:00:00Z", "1970-01-01 00:00"),
        ("2025-11-28T07:00:01Z", "2025-11-28 07:00 UTC"),
        ("2025-11-28T07:02:43Z", "2025-11-28 07:02 UTC"),
    ]


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "soon", ""])
@pytest.mark.parametrize("seconds", [-(10**30), -1, 10**12, 10**30])
def test_no_time_is_too_strange_to_show(moment: str, seconds: int) -> None:
    made = page(report([host("a", [session("s", created=seconds, idle=seconds)], judged_at=moment)]))
    assert ">s<" in made


# --- nothing of a user's is markup ------------------------------------------------------------------------------------

_BITS = st.sampled_from([*samples.HOSTILE, "<", ">", '"', "'", "&", "{{", "%}", "\n", "\x00", "\u2028", "\ud800"])
_HOSTILE = st.lists(st.one_of(_BITS, st.text(max_size=8)), min_size=1, max_size=6).map(lambda bits: "x" + "".join(bits))


@given(_HOSTILE)
def test_no_text_makes_an_element(text: str) -> None:
    plain, attacked = (Page(page(samples.hostile([it, it]))) for it in ("plain", text))
    assert Counter(attacked.tags) == Counter(plain.tags)
    names = [(tag, name) for tag, name, _value in attacked.attributes]
    assert Counter(names) == Counter((tag, name) for tag, name, _value in plain.attributes)
    assert not [name for _tag, name in names if name.startswith("on") or name in ("style", "src")]
    assert shown(text) in attacked.texts["td"]


@given(_HOSTILE)
def test_no_text_hides_or_turns_around(text: str) -> None:
    made = page(samples.hostile([text, text]))
    assert {char for char in made if not char.isprintable()} == {"\n"}
    assert "\n" not in Page(made).said("small")


def test_text_without_end_is_cut() -> None:
    made = page(report([broken("h" * 10**6, "failed", "m" * 10**6)]))
    assert len(made) < 60000


def test_the_policy_lets_only_this_style_and_this_script_be() -> None:
    made = Page(page(samples.night()))
    (policy,) = [value for tag, name, value in made.attributes if name == "content" and "default-src" in str(value)]
    rules = dict(rule.split(" ", 1) for rule in str(policy).split("; "))
    assert rules.pop("style-src") == "'sha256-%s'" % digest(made.said("style"))
    assert rules.pop("script-src") == "'sha256-%s'" % digest(made.said("script"))
    assert rules == {
        "default-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    assert not [name for _tag, name, _value in made.attributes if name == "style"]


def digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


def test_the_policy_comes_before_what_it_is_for() -> None:
    made = page(samples.night())
    assert made.startswith("<!DOCTYPE html>")
    assert made.index("Content-Security-Policy") < made.index("<title>") < made.index("<style>")


def test_lines_on_licences_stay_out() -> None:
    assert "SPDX" not in page(samples.night())


# --- pure, and in proportion ------------------------------------------------------------------------------------------


def test_a_report_has_one_page_and_keeps_its_values() -> None:
    made = samples.night()
    assert page(made) == page(made)
    assert made == samples.night()


def calls(action: Callable[[], Any]) -> int:
    """How many calls something takes: unlike time, the same in every run."""
    count = 0

    def counted(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(counted)
    try:
        action()
    finally:
        sys.setprofile(None)
    return count


def test_twice_the_hosts_take_twice_the_work() -> None:
    reports = [samples.big(hosts, 20) for hosts in (100, 200, 300)]
    page(reports[0])
    small, middle, large = (calls(lambda made=made: page(made)) for made in reports)  # type: ignore[misc]
    assert large - middle == pytest.approx(middle - small, rel=0.02)


def test_only_what_a_host_has_is_told_of_its_rows() -> None:
    """The rows make the size of a page: hardly more than what they say."""
    one, two = (len(page(samples.big(hosts, 20))) for hosts in (100, 200))
    assert (two - one) / 100 / 20 < 500


def test_the_longest_idle_are_still_there() -> None:
    sessions = [session("s%d" % days, idle=days * DAY) for days in range(30)]
    sessions.append(session("gone", idle=99 * DAY, reason="vanished"))
    sessions.append(session("unclear", idle=None))
    made = page(report([host("a", sessions)]))
    section = made[made.index('id="oldest"') : made.index('id="reasons"')]
    assert re.findall(r'<td class="code">(\w+)', section) == ["s%d" % days for days in range(29, 9, -1)]
