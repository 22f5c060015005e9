# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page as a person meets it: in a browser, on a desk and a phone, by day and night, on paper, under attack.

The fixture ``screen`` fails a test whose page complained in the console or asked for anything but itself.
"""

import base64
import http.server
import threading
from typing import Any, Callable, Dict, Iterator, List
from urllib.parse import unquote

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import shown, spoken
from ansible_collections.fleet.tmux.plugins.plugin_utils._page import page
from ansible_collections.fleet.tmux.tests.page import samples
from ansible_collections.fleet.tmux.tests.page.samples import DAY, HOUR, MIB, host, removed, report, session
from ansible_collections.fleet.tmux.tests.page.screen import Screen
from selenium.webdriver.common.keys import Keys

PHONE = (360, 740)
TABLES = [
    "problems", "hosts", "owners", "removed", "marked", "not_done", "oldest", "reasons", "kept", "survivors", "servers",
    "lives_on",
]  # fmt: skip


# --- what is told -----------------------------------------------------------------------------------------------------


def test_an_ordinary_night(screen: Screen) -> None:
    screen.show(samples.night())
    assert screen.one("h1").text == "4 of 14 sessions on 7 hosts removed, 1 given notice"
    assert screen.one(".troubles").text == "1 session not done, 3 hosts have a problem"
    assert screen.one("header time").text == "2025-11-28 07:02 UTC"
    assert [it.get_attribute("id") for it in screen.all(".scroller")] == TABLES
    told = screen.one(".totals").text
    for words in ("4 ok, 1 failed, 1 unreachable, 1 missing", "3.1 GiB", "48 processes", "longest idle 14w 1d"):
        assert words in told
    assert screen.rows("problems")[0] == ["lab-07.example.com", "unreachable", samples._UNREACHABLE]
    assert screen.rows("problems")[1][2].splitlines() == samples._FAILED.splitlines()
    assert ["build-01.example.com", "alice", "build-2", "idle", "no activity for 2d 4h", "2d 4h"] in [
        row[:6] for row in screen.rows("removed")
    ]
    assert screen.column("marked", "Session") == ["paper"]
    assert screen.column("not_done", "Detail") == ["no space left on device"]
    assert screen.rows("reasons")[0] == ["keep", "2", "its user said so with @keep"]
    assert [row[3:] for row in screen.rows("survivors")] == [
        ["48213", "python3 -m http.server 8080", "8080, 8443", "31.0 MiB", "terminated"],
        ["913", "./train.sh --epochs 400", "\u2013", "\u2013", "reported"],
    ]
    assert screen.column("servers", "Status") == ["hung", "orphaned"]
    assert screen.rows("lives_on") == [["jump-01.example.com", "dave", "watch-old", "logs\n@4", "watch, watch-copy"]]
    assert "own sessions only" in screen.column("hosts", "Status")[3]


def test_the_socket_is_told_where_it_is_not_the_usual_one(screen: Screen) -> None:
    screen.show(samples.night())
    assert screen.column("removed", "Session") == [
        "build-2",
        "build-10",
        "agent-0007\n/tmp/tmux-1001/agents",
        "watch-old",
    ]


def test_check_mode_says_that_nothing_was_done(screen: Screen) -> None:
    screen.show(samples.checked())
    assert screen.one("h1").text == "4 of 14 sessions on 7 hosts would be removed, 1 given notice"
    assert screen.one(".banner").text.startswith("Check mode: nothing was done.")
    titles = [it.text.rsplit(" ", 1)[0] for it in screen.all("h2")]
    assert {"Would be removed", "Would be given notice", "Would be kept"} <= set(titles)
    assert not {"Removed", "Given notice", "Kept"} & set(titles)
    assert "To remove" in screen.labels("hosts") and "Removed" not in screen.labels("hosts")
    assert "Would be freed" in screen.one(".totals").text


def test_the_guard_says_why_it_stopped_the_run(screen: Screen) -> None:
    screen.show(samples.stopped())
    told = screen.one(".banner.bad").text
    assert "Nothing was removed on any host." in told
    assert "48 of 48 sessions without protection would be removed, tmux_cleanup_fleet_max_percent is 25." in told


def test_the_policy_is_at_the_end(screen: Screen) -> None:
    screen.show(samples.night())
    assert "Policy: idle: 3d; protect: attached, busy, keep" in screen.one("footer").text


def test_a_merged_report_of_which_a_part_was_stopped_says_so(screen: Screen) -> None:
    made = samples.merged()
    made["guard"].update(message="1 of 3 runs were stopped: 9 sessions would be removed")
    screen.show(made)
    told = screen.one(".banner.bad").text
    assert "Nothing was removed by a part of the runs." in told and "1 of 3 runs were stopped" in told


def test_a_merged_report_names_its_runs(screen: Screen) -> None:
    screen.show(samples.merged())
    assert "It holds the results of 3 runs" in screen.one(".banner").text
    assert [it.text.rsplit(" ", 1)[1] for it in screen.all("footer li")] == ["run-a", "run-b", "run-c"]


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (samples.empty(), "There was nothing to do: the run had no hosts."),
        (
            samples.quiet(),
            "There was nothing to do: no host showed a session to look at. Patterns or excludes left out 3 sessions.",
        ),
    ],
)
def test_an_empty_run_says_so(screen: Screen, made: Dict[str, Any], told: str) -> None:
    screen.show(made)
    assert told in screen.text


def test_sections_and_columns_without_content_are_left_out(screen: Screen) -> None:
    screen.show(samples.quiet())
    assert [it.get_attribute("id") for it in screen.all(".scroller")] == ["hosts"]
    assert screen.labels("hosts") == [
        "Host",
        "Status",
        "Looked at",
        "Removed",
        "Kept",
        "Left out",
        "Longest idle",
        "Judged",
    ]
    screen.show(samples.empty())
    assert screen.all("table, nav, form") == []


def test_it_can_be_read_aloud(screen: Screen) -> None:
    """A language, one heading of the first level, a caption and heads for every table, names for what takes input."""
    screen.show(samples.night())
    assert screen.eval("return document.documentElement.lang") == "en"
    assert [len(screen.all(it)) for it in ("h1", "main", "header", "footer", "nav[aria-label]")] == [1] * 5
    assert screen.one('meta[name="color-scheme"]').get_attribute("content") == "light dark"
    for table in screen.all("table"):
        assert table.find_element("css selector", "caption").text
    tree = screen.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    named = [(it["role"]["value"], it["name"]["value"]) for it in tree if "name" in it and not it["ignored"]]
    assert ("searchbox", "Search all tables") in named
    assert ("columnheader", "Longest idle") in named and ("button", "Longest idle") in named
    assert ("rowheader", "lab-07.example.com") in named
    assert ("table", "Sessions that were removed, and why.") in named


# --- without a script, a network, or a desk ---------------------------------------------------------------------------


def test_everything_can_be_read_without_a_script(screen: Screen) -> None:
    screen.scripts(False)
    screen.show(samples.night())
    assert screen.all("th button") == []
    assert not screen.one("form.search").is_displayed()
    for name in TABLES:
        assert screen.one("#%s table" % name).is_displayed()
        assert screen.one("#%s tbody tr:last-child th" % name).text


def test_a_long_list_opens_without_a_script(screen: Screen) -> None:
    screen.scripts(False)
    screen.show(samples.big(10, 20))
    assert not screen.one("#kept table").is_displayed()
    screen.one('nav a[href="#kept"]').click()
    assert screen.one("#kept table").is_displayed()


@pytest.fixture
def asked() -> Iterator[Dict[str, Any]]:
    """A server for the page, and what it was asked for."""
    seen: Dict[str, Any] = {"paths": [], "page": page(samples.hostile()).encode("utf-8")}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen["paths"].append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(seen["page"])

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        seen["address"] = "http://127.0.0.1:%d/report.html" % server.server_port
        yield seen
        server.shutdown()


def test_a_web_server_is_asked_for_nothing_else(screen: Screen, asked: Dict[str, Any]) -> None:
    screen.driver.get(asked["address"])
    screen.search("script")
    screen.wait(lambda: "#q=script" in screen.driver.current_url)
    assert set(asked["paths"]) <= {"/report.html", "/favicon.ico"}  # browsers look for the latter by themselves
    assert screen.complaints() == []
    screen.requests()


@pytest.mark.parametrize("name", [name for name in samples.SAMPLES if name != "big"])
@pytest.mark.parametrize("scripts", [True, False])
def test_a_phone_shows_it_without_scrolling_sideways(screen: Screen, name: str, scripts: bool) -> None:
    screen.size(*PHONE)
    screen.scripts(scripts)
    screen.show(samples.SAMPLES[name]())
    assert screen.eval("return document.documentElement.scrollWidth") == PHONE[0]
    too_wide = """
        return Array.from(document.querySelectorAll("tbody th, tbody td, h1, h2, p, dd, li, input, summary"))
            .filter((it) => it.checkVisibility() && it.getBoundingClientRect().right > innerWidth)
            .map((it) => it.textContent);
    """
    assert screen.eval(too_wide) == []


def test_on_a_phone_a_row_is_a_card_with_labels(screen: Screen) -> None:
    screen.size(*PHONE)
    screen.show(samples.night())
    labels = screen.eval(
        """
        const row = document.querySelector("#removed tbody tr");
        return Array.from(row.cells).map((it) => getComputedStyle(it, "::before").content);
        """
    )
    assert labels == ["none"] + ['"%s"' % label for label in screen.labels("removed")[1:]]
    tops = (
        "return Array.from(document.querySelector('#removed tbody tr').cells, (it) => it.getBoundingClientRect().top)"
    )
    assert len(set(screen.eval(tops))) > 3
    screen.sort("hosts", "Memory")
    assert screen.rows("hosts")[0][0] == "build-01.example.com"


def test_names_without_a_space_to_break_at(screen: Screen) -> None:
    long = "x" * 1000
    made = samples.hostile([long, long])
    for width in (PHONE[0], 1280):
        screen.size(width, 740)
        screen.show(made)
        assert screen.eval("return document.documentElement.scrollWidth <= innerWidth")


# --- colours ----------------------------------------------------------------------------------------------------------

# The contrast (WCAG 2) of each visible text with what is behind it, the lowest for each kind of element.
_CONTRAST = """
const rgb = (text) => { const it = text.match(/[\\d.]+/g).map(Number); return it.length < 4 ? [...it, 1] : it; };
const linear = (it) => it <= 0.04045 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4;
const light = (color) => {
    const [r, g, b] = color.map((it) => linear(it / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const behind = (element) => {
    for (let it = element; it; it = it.parentElement) {
        const color = rgb(getComputedStyle(it).backgroundColor);
        if (color[3] > 0) return color;
    }
    return [255, 255, 255, 1];
};
const least = {};
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility()) continue;
    const [one, other] = [rgb(getComputedStyle(element).color), behind(element)].map(light);
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    const kind = element.tagName + "." + element.parentElement.className + "." + element.className;
    least[kind] = Math.min(ratio, least[kind] ?? 99);
}
return least;
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, PHONE[0]])
def test_every_text_can_be_told_from_what_is_behind_it(screen: Screen, scheme: str, width: int) -> None:
    screen.emulate(scheme)
    screen.size(width, 900)
    for made in (samples.checked(), samples.stopped()):
        screen.show(made)
        screen.sort("hosts", "Status")
        ratios = screen.eval(_CONTRAST)
        assert len(ratios) > 15
        assert {kind: ratio for kind, ratio in ratios.items() if ratio < 4.5} == {}


def test_it_is_dark_where_everything_is(screen: Screen) -> None:
    screen.show(samples.night())
    day = [screen.css("body", it) for it in ("background-color", "color")]
    screen.emulate("dark")
    night = [screen.css("body", it) for it in ("background-color", "color")]
    assert _brightness(day[0]) > 230 > 60 > _brightness(day[1])
    assert _brightness(night[0]) < 60 < 200 < _brightness(night[1])


def _brightness(color: str) -> float:
    parts = [float(it) for it in color.partition("(")[2].rstrip(")").split(",")[:3]]
    return sum(parts) / 3


# --- paper ------------------------------------------------------------------------------------------------------------


def test_on_paper_it_is_dark_on_white_and_without_tools(screen: Screen) -> None:
    screen.emulate("dark", media="print")
    screen.show(samples.night())
    assert screen.css("body", "background-color") == "rgba(255, 255, 255, 1)"
    assert {kind: ratio for kind, ratio in screen.eval(_CONTRAST).items() if ratio < 4.5} == {}
    assert not screen.one("nav").is_displayed()
    assert not screen.one("form.search").is_displayed()
    assert screen.css("thead", "display") == "table-header-group"
    assert screen.one("#lives_on table").is_displayed()


def test_on_paper_a_search_is_named(screen: Screen) -> None:
    screen.show(samples.night(), "#q=bob")
    screen.emulate(media="print")
    assert screen.one("#search").is_displayed() and screen.one("#search").get_attribute("value") == "bob"
    assert "rows match" in screen.one(".matches").text
    assert {row[1] for row in screen.rows("kept")} == {"bob"}


def test_on_paper_a_closed_list_is_said_to_be_left_out(screen: Screen) -> None:
    screen.show(samples.big(10, 20))
    screen.emulate(media="print")
    content = "return getComputedStyle(document.querySelector('summary:has(#kept-title)'), '::after').content"
    assert screen.eval(content) == '"closed, so not printed"'
    document = screen.driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": False})
    few = base64.b64decode(document["data"]).count(b"/Type /Page\n")
    screen.eval("document.querySelector('#kept').closest('details').open = true")
    document = screen.driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": False})
    assert base64.b64decode(document["data"]).count(b"/Type /Page\n") > few > 0


# --- sorting ----------------------------------------------------------------------------------------------------------


def _assorted() -> Dict[str, Any]:
    return report(
        [
            host("b", [
                removed("job-10", "Zoe", idle=90, freed={"processes": 10, "bytes": 900}, created=1600000000),
                removed("job-9", "adam", idle=2 * DAY, freed={"processes": 9, "bytes": 3 * 1024**3}, created=None),
            ]),
            host("a", [
                removed("job-1", "adam", idle=3 * HOUR, freed={"processes": 100, "bytes": 42 * MIB}, created=999999999),
                removed("Job-2", "zoe", freed={"processes": 0, "bytes": 0}, created=1700000000, idle=None),
            ]),
        ]
    )  # fmt: skip


@pytest.fixture
def assorted(screen: Screen) -> Screen:
    made = _assorted()
    screen.show(made)
    return screen


@pytest.mark.parametrize(
    ("label", "first", "then"),
    [
        ("Host", "a a b b", "b b a a"),
        ("Owner", "adam adam Zoe zoe", "Zoe zoe adam adam"),
        ("Session", "job-1 Job-2 job-9 job-10", "job-10 job-9 Job-2 job-1"),
        ("Idle", "2d|3h|1m 30s|\u2013", "1m 30s|3h|2d|\u2013"),
        ("Processes", "100 10 9 0", "0 9 10 100"),
        ("Memory", "3.0 GiB|42.0 MiB|900 bytes|\u2013", "900 bytes|42.0 MiB|3.0 GiB|\u2013"),
        (
            "Created",
            "2023-11-14 22:13|2020-09-13 12:26|2001-09-09 01:46|\u2013",
            "2001-09-09 01:46|2020-09-13 12:26|2023-11-14 22:13|\u2013",
        ),
    ],
)
def test_a_click_sorts_by_what_is_meant(assorted: Screen, label: str, first: str, then: str) -> None:
    numeric = label in ("Idle", "Processes", "Memory", "Created")
    for told, way in ((first, numeric), (then, not numeric)):
        assorted.sort("removed", label)
        assert assorted.column("removed", label) == told.split("|" if "|" in told else " ")
        assert assorted.head("removed", label).get_attribute("aria-sort") == ("descending" if way else "ascending")
    assert len(assorted.all("#removed [aria-sort]")) == 1


def test_rows_that_are_alike_stay_in_their_order(assorted: Screen) -> None:
    assorted.sort("removed", "Session")
    assorted.sort("removed", "Owner")
    assert assorted.column("removed", "Session") == ["job-1", "job-9", "Job-2", "job-10"]
    assorted.sort("removed", "Owner")
    assert assorted.column("removed", "Session") == ["Job-2", "job-10", "job-1", "job-9"]


def test_one_column_is_said_to_be_sorted_by(assorted: Screen) -> None:
    assorted.sort("removed", "Owner")
    assorted.sort("removed", "Idle")
    assert [it.text.split()[0] for it in assorted.all("#removed [aria-sort]")] == ["Idle"]
    assorted.sort("removed", "Owner")
    assert assorted.head("removed", "Owner").get_attribute("aria-sort") == "ascending"


@pytest.mark.parametrize("key", [Keys.ENTER, Keys.SPACE])
def test_the_keyboard_sorts(assorted: Screen, key: str) -> None:
    assorted.search(Keys.TAB)
    for _time in range(60):
        focused = assorted.driver.switch_to.active_element
        if focused.tag_name == "button" and focused == assorted.head("removed", "Memory").find_element(
            "tag name", "button"
        ):
            break
        focused.send_keys(Keys.TAB)
    style = assorted.eval(
        "const it = getComputedStyle(document.activeElement); return it.outlineStyle + it.outlineWidth"
    )
    assert style == "solid2px"
    assorted.driver.switch_to.active_element.send_keys(key)
    assert assorted.column("removed", "Memory")[0] == "3.0 GiB"
    assert assorted.driver.switch_to.active_element.text.startswith("Memory")


# --- searching --------------------------------------------------------------------------------------------------------


def _shown(screen: Screen) -> List[List[str]]:
    return [row for name in TABLES if screen.all("#%s" % name) for row in screen.rows(name)]


@pytest.mark.parametrize(
    ("term", "keeps"),
    [
        ("bob", lambda row: "bob" in row),
        ("JUMP-01", lambda row: row[0] == "jump-01.example.com"),
        ("agent-0008", lambda row: "agent-0008" in row[2]),
        ("vanished", lambda row: any("vanished" in cell for cell in row)),
        ("no space left", lambda row: "no space left on device" in row),
        ("alice 01.example build-2", lambda row: "alice" in row and "build-2" in row),
        ("http.server", lambda row: "python3 -m http.server 8080" in row),
        ("/tmp/tmux-1001/agents", lambda row: "/tmp/tmux-1001/agents" in row[2]),
        ("nothing like it", lambda row: False),
        ("\\d+ .* ( [", lambda row: False),
    ],
)
def test_a_search_keeps_the_rows_that_match(screen: Screen, term: str, keeps: Callable[[List[str]], bool]) -> None:
    screen.show(samples.night())
    before = _shown(screen)
    wanted = [row for row in before if keeps(row)]
    screen.search(term)
    word = "rows match"
    screen.wait_for_matches("%d of %d %s" % (len(wanted), len(before), word))
    assert _shown(screen) == wanted
    assert screen.one(".matches").get_attribute("aria-live") == "polite"


def test_a_table_without_a_match_says_so(screen: Screen) -> None:
    screen.show(samples.night())
    assert screen.text.count("No row of this table matches.") == 0
    screen.search("lab-07")
    screen.wait_for_matches("2 of %d rows match" % len(screen.all("tbody tr")))
    assert [name for name in TABLES if screen.one("#%s .empty" % name).is_displayed()] == [
        name for name in TABLES if name not in ("problems", "hosts")
    ]
    assert not screen.one("#kept thead").is_displayed()
    assert screen.one("#problems-title").text == "Hosts with a problem 1 of 3"
    assert screen.one('nav a[href="#kept"]').text == "Kept 0 of 8"


def test_a_search_ends_when_it_is_cleared(screen: Screen) -> None:
    screen.show(samples.night())
    before = _shown(screen)
    screen.search("bob")
    screen.wait(lambda: screen.one(".matches").text)
    screen.one("#search").send_keys(Keys.ESCAPE)
    screen.wait(lambda: not screen.one(".matches").text)
    assert _shown(screen) == before
    assert screen.one("#kept-title").text == "Kept 8"
    screen.wait(lambda: "#" not in screen.driver.current_url)


def test_a_word_does_not_reach_from_one_cell_into_the_next(screen: Screen) -> None:
    screen.show(report([host("left", [session("right", owner="middle")])]))
    screen.search("leftmiddle")
    screen.wait_for_matches("0 of 5 rows match")


def test_a_search_takes_capitals_and_small_letters_for_the_same(assorted: Screen) -> None:
    assorted.search("zOE")
    assorted.wait(lambda: assorted.one(".matches").text)
    assert sorted(assorted.column("removed", "Owner")) == ["Zoe", "zoe"]


def test_a_search_can_be_shared(screen: Screen) -> None:
    term = "50% #1 & \u00e9t\u00e9"
    made = report([host("a", [session("x " + term), session("other")])])
    screen.show(made)
    screen.search(term)
    screen.wait(lambda: "#q=" in screen.driver.current_url)
    link = screen.driver.current_url
    assert unquote(link.partition("#q=")[2]) == term
    told = screen.one(".matches").text
    screen.show(made, "#" + link.partition("#")[2])
    assert screen.one("#search").get_attribute("value") == term
    assert screen.one(".matches").text == told
    assert screen.column("kept", "Session") == ["x " + term]


@pytest.mark.parametrize("fragment", ["#q=%E0%A4%A", "#q=", "#nowhere", "#%22%5D"])
def test_a_broken_link_shows_everything(screen: Screen, fragment: str) -> None:
    screen.show(samples.night(), fragment)
    assert len(screen.rows("kept")) == 8
    assert screen.one(".matches").text == ""


def test_a_hostile_link_is_only_searched_for(screen: Screen) -> None:
    screen.show(samples.night(), "#q=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E")
    assert screen.one("#search").get_attribute("value") == "<img src=x onerror=alert(1)>"
    assert screen.all("img") == []


def test_sorting_and_searching_go_together(screen: Screen) -> None:
    screen.show(samples.night(), "#q=alice")
    screen.sort("kept", "Idle")
    assert screen.column("kept", "Session") == ["notes", "long-build"]
    screen.search("keep")
    screen.wait(lambda: screen.column("kept", "Session") == ["notes", "irc"])


# --- a fleet ----------------------------------------------------------------------------------------------------------


def test_a_large_fleet_opens_with_what_matters(screen: Screen) -> None:
    screen.show(samples.big(1000, 20))
    assert screen.one("h1").text == "2,000 of 20,000 sessions on 1,000 hosts removed"
    for name in ("hosts", "removed", "kept"):
        assert not screen.one("#%s table" % name).is_displayed()
    for name in ("owners", "oldest", "reasons"):
        assert screen.one("#%s table" % name).is_displayed()


def test_a_large_fleet_is_searched_and_sorted(screen: Screen) -> None:
    made = samples.big(1000, 20)
    screen.show(made)
    screen.search("node-0042 alice")
    screen.wait_for_matches("2 of 21,034 rows match")
    assert screen.column("kept", "Session") == ["job-42-8", "job-42-18"]
    screen.search("")
    screen.wait_for_matches("")
    assert not screen.one("#kept table").is_displayed()
    screen.one('nav a[href="#kept"]').click()
    screen.sort("kept", "Idle")
    sessions = [it for one in made["hosts"] for it in one["sessions"] if it["outcome"] == "kept"]
    longest = sorted((it["idle"] for it in sessions), reverse=True)[:300]
    assert screen.column("kept", "Idle") == [spoken(it) for it in longest]


def test_a_long_table_shows_its_first_rows_and_more_when_asked(screen: Screen) -> None:
    screen.show(samples.big(50, 20))
    more = screen.one("#kept .more")
    screen.one('nav a[href="#kept"]').click()
    assert len(screen.rows("kept")) == 300
    assert more.text == "The first 300 of 900 are shown. Show 300 more"
    more.find_element("tag name", "button").click()
    assert len(screen.rows("kept")) == 600
    assert more.text == "The first 600 of 900 are shown. Show 300 more"
    more.find_element("tag name", "button").click()
    assert len(screen.rows("kept")) == 900
    assert not more.is_displayed()
    screen.search("job-4")
    screen.wait(lambda: screen.one(".matches").text)
    assert screen.column("kept", "Session") == [
        "job-%d-%d" % (number, one) for number in [4, *range(40, 50)] for one in range(20) if one % 10 != 3
    ]


def test_a_long_table_can_be_read_without_a_script(screen: Screen) -> None:
    screen.scripts(False)
    screen.show(samples.big(50, 20))
    screen.one('nav a[href="#kept"]').click()
    assert len(screen.rows("kept")) == 900


# --- under attack -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scripts", [True, False])
def test_hostile_names_are_text(screen: Screen, scripts: bool) -> None:
    screen.scripts(scripts)
    screen.show(samples.hostile())
    assert screen.driver.title.endswith(" - tmux cleanup")
    assert screen.eval("return document.scripts.length") == 1
    assert screen.all("img, iframe, object, embed, base, link, a:not(nav a), h1 ~ h1, svg:not(.bar)") == []
    assert screen.all("[onmouseover], [onload], [onerror], [onfocus], [autofocus], [style]") == []
    names = [" ".join(shown(text).split()) for text in samples.HOSTILE]
    for label in ("Owner", "Session", "Detail", "Reason"):
        assert [" ".join(it.split("\n")[0].split()) for it in screen.column("removed", label)] == names
    assert [" ".join(it.split()) for it in screen.column("survivors", "Command")[::4]] == names


def test_hostile_names_survive_sorting_and_searching(screen: Screen) -> None:
    screen.show(samples.hostile())
    for label in screen.labels("removed"):
        screen.sort("removed", label)
    for term in ("<script>", "onerror=", "7*7", "\\u202e"):
        wanted = {shown(text) for text in samples.HOSTILE if term in shown(text)}
        screen.search(term)
        screen.wait_for(lambda: set(screen.column("owners", "Owner")), wanted)
    assert screen.driver.title.endswith(" - tmux cleanup")
    assert screen.eval("return document.scripts.length") == 1


def test_a_name_stays_in_its_cell(screen: Screen) -> None:
    """Letters that are written from the right do not rearrange their neighbours; marks do not pile up over others."""
    hebrew, piled = "\u05d0\u05d1\u05d2 (1", "e" + "\u0301" * 300
    screen.show(report([host("a", [removed(hebrew, hebrew), removed(piled, piled)])]))
    order = screen.eval(
        "return Array.from(document.querySelector('#removed tbody tr').cells, (it) => it.getBoundingClientRect().left)"
    )
    assert order == sorted(order)
    assert screen.css("#removed td", "unicode-bidi") == "isolate"
    assert screen.css("#removed td", "overflow").split()[0] == "clip"


def test_the_policy_is_in_force(screen: Screen) -> None:
    """What would be the damage if some text became markup after all: none."""
    screen.show(samples.night())
    screen.eval(
        """
        const script = document.createElement("script");
        try { script.text = "document.title = 'executed'"; document.body.append(script); } catch { }
        const image = document.createElement("img");
        image.src = "http://127.0.0.1:9/stolen";
        document.body.append(image);
        document.body.setAttribute("style", "display: none");
        try { document.body.insertAdjacentHTML("beforeend", "<i id='made'></i>"); } catch { }
        """
    )
    assert screen.driver.title.endswith(" - tmux cleanup")
    assert screen.all("#made") == []
    assert screen.css("body", "display") == "block"
    screen.wait(lambda: any("img-src" in it or "default-src" in it for it in screen.complaints()))
    screen.requests()
