# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The examples for AWX, ansible-runner, ansible-builder and ansible-pull work as they are handed out."""

import itertools
import json
import os
import re
import shlex
import sys
from typing import Any, Dict, List, Optional

import pytest
import yaml
from ansible_collections.fleet.tmux.tests.support.namespaces import Account
from ansible_collections.fleet.tmux.tests.system.place import CHECKOUT, IDLE, ROOT, Done, Place

EXAMPLES = ROOT / "docs" / "examples"
COPIES = "/tmp/copies"
"""Where the user of an example has copied it to."""
BASE = "%s/docs/examples" % CHECKOUT
STAY = ["attached", "kept", "printing"]
ALL = ["attached", "idle", "kept", "printing"]
REPOSITORY = "https://github.com/fleet-tmux/fleet.tmux.git"
HERE = 'ansible_connection=local ansible_python_interpreter="{{ ansible_playbook_python }}" tmux_cleanup_become=false\n'


def run(place: Place, command: str, **variables: str) -> Done:
    """Run a command as a person with these tools would; what comes from our repository is taken from the checkout."""
    tools = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]
    git = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "url.file://%s.insteadOf" % CHECKOUT,
        "GIT_CONFIG_VALUE_0": REPOSITORY,
    }
    for who in ("GIT_AUTHOR", "GIT_COMMITTER"):
        git.update({who + "_NAME": "somebody", who + "_EMAIL": "somebody@example.com"})
    return place.run("sh", "-c", command, owner=None, directory="/tmp", PATH=tools, **git, **variables)


def require(place: Place, command: str, **variables: str) -> str:
    done = run(place, command, **variables)
    assert done.rc == 0, "%s\n%s" % (command, done.output)
    return done.output


def commit(place: Place, directory: str) -> None:
    """Make a git repository of a directory."""
    require(place, "cd %s && git init -q -b main && git add -A && git commit -q -m all" % directory)


def copy(place: Place, example: str) -> str:
    """Copy an example, and install the collection into it as its requirements say."""
    commit(place, CHECKOUT)
    require(place, "mkdir -p %s && cp -a %s/%s %s" % (COPIES, BASE, example, COPIES))
    return "%s/%s" % (COPIES, example)


def install(place: Place, project: str) -> None:
    require(place, "ansible-galaxy collection install -r %s/requirements.yml -p %s/collections" % (project, project))
    require(place, "test -f %s/collections/ansible_collections/fleet/tmux/playbooks/cleanup.yml" % project)


def edit(place: Place, name: str, old: str, new: str) -> None:
    """Replace something in a file that must be there."""
    text = require(place, "cat " + name)
    assert text.count(old) == 1, "%s is not once in\n%s" % (old, text)
    place.write(name, text.replace(old, new))


def populated(place: Place) -> Account:
    alice = place.owners[0]
    place.populate(alice, "idle")
    place.settle()
    return alice


# --- ansible-runner


def runner(place: Place, folder: str, playbook: str, ident: str, *, rc: int = 0, **extra: Any) -> Dict[str, Any]:
    """Run a playbook with ansible-runner, and return what its last event says about it."""
    words = " ".join("-e '%s'" % json.dumps({key: value}) for key, value in extra.items())
    option = ' --cmdline "%s"' % words.replace('"', '\\"') if words else ""
    done = run(place, "ansible-runner run %s -p %s --ident %s%s" % (folder, playbook, ident, option))
    assert done.rc == rc, done.output
    artifacts = "%s/artifacts/%s" % (folder, ident)
    assert require(place, "cat %s/rc" % artifacts) == str(rc)
    assert require(place, "cat %s/status" % artifacts) == ("failed" if rc else "successful")
    events = require(place, "grep -l '\"playbook_on_stats\"' %s/job_events/*.json | xargs cat" % artifacts)
    last: Dict[str, Any] = json.loads(events)
    return dict(last["event_data"], output=done.output)


def test_the_example_for_the_runner_reports_first_and_removes_when_it_is_told_to(place: Place) -> None:
    alice = populated(place)
    folder = copy(place, "runner")
    install(place, folder + "/project")

    # As it is: it says what it would do. Nothing has been idle for a day here.
    as_it_is = runner(place, folder, "cleanup.yml", "first")
    assert as_it_is["artifact_data"]["tmux_cleanup"]["looked_at"] == len(ALL)
    assert "0 of 4 sessions on 1 host would be removed." in as_it_is["output"]

    require(place, "mkdir %s/inventory/group_vars" % folder)
    place.write(folder + "/inventory/group_vars/all.yml", "tmux_cleanup_idle: %ds\n" % IDLE)
    planned = runner(place, folder, "cleanup.yml", "second")
    assert planned["artifact_data"]["tmux_cleanup"]["removed"] == 1
    assert place.sessions(alice) == ALL

    edit(place, folder + "/env/extravars", "tmux_cleanup_report_only: true\n", "")
    done = runner(place, folder, "cleanup.yml", "third")
    totals = done["artifact_data"]["tmux_cleanup"]
    assert (totals["removed"], totals["kept"], totals["hosts"], totals["ok"]) == (1, 3, 1, 1)
    assert totals["stopped"] is False
    assert place.sessions(alice) == STAY
    report = json.loads(require(place, "cat %s/reports/report.json" % folder))
    assert report["totals"]["removed"] == 1


def test_what_a_limit_for_the_fleet_stops_fails_the_job_and_is_in_its_artifacts(place: Place) -> None:
    alice = populated(place)
    folder = copy(place, "runner")
    install(place, folder + "/project")
    edit(place, folder + "/env/extravars", "tmux_cleanup_report_only: true\n", "")
    limits: Dict[str, Any] = {"tmux_cleanup_idle": "%ds" % IDLE, "tmux_cleanup_fleet_max_removals": 0}
    stopped = runner(place, folder, "cleanup.yml", "stopped", rc=2, **limits)
    totals = stopped["artifact_data"]["tmux_cleanup"]
    assert (totals["stopped"], totals["removed"], totals["kept"]) == (True, 0, 4)
    assert place.sessions(alice) == ALL


# --- AWX, as far as it goes without AWX: what its jobs are given, and what they hand on


def test_slices_report_each_for_itself_and_the_last_job_of_a_workflow_merges_them(place: Place) -> None:
    """Two jobs with one half of the inventory each, where one host is away, and then the one that merges."""
    alice = populated(place)
    project = copy(place, "awx")
    install(place, project)
    for name in ("one", "two"):
        require(place, "mkdir -p %s/%s/inventory && ln -s %s %s/%s/project" % (COPIES, name, project, COPIES, name))
    place.write(COPIES + "/one/inventory/hosts", "web1 " + HERE)
    place.write(COPIES + "/two/inventory/hosts", "away ansible_host=127.0.0.1 ansible_port=1\nweb2 " + HERE)
    given: Dict[str, Any] = {
        "awx_workflow_job_id": 41,
        "reports_root": "/tmp/reports",
        "tmux_cleanup_idle": "%ds" % IDLE,
    }
    one = runner(place, COPIES + "/one", "cleanup.yml", "42", awx_job_id=42, **given)
    two = runner(place, COPIES + "/two", "cleanup.yml", "43", rc=2, awx_job_id=43, **given)
    assert place.sessions(alice) == STAY
    handed_on = {**one["artifact_data"], **two["artifact_data"]}
    assert handed_on["tmux_cleanup_reports"] == ["/tmp/reports/41/*/report.json"]
    # Of what several jobs hand on under one name, AWX keeps the last: the sums of one slice.
    assert handed_on["tmux_cleanup"]["removed"] == 0

    last: Dict[str, Any] = {"awx_workflow_job_id": 40, "awx_job_id": 44, "reports_root": "/tmp/reports"}
    merged = runner(place, COPIES + "/one", "merge_reports.yml", "44", **last, **handed_on)
    totals = merged["artifact_data"]["tmux_cleanup"]
    assert (totals["hosts"], totals["removed"], totals["unreachable"]) == (3, 1, 1)
    for name in ("report.json", "report.html", "tmux_cleanup.prom"):
        require(place, "test -s /tmp/reports/merged/" + name)


def survey() -> Dict[str, Any]:
    read: Dict[str, Any] = json.loads((EXAMPLES / "awx" / "survey.json").read_text(encoding="utf-8"))
    return read


QUESTIONS: List[Dict[str, Any]] = survey()["spec"]
TYPES = {"text": str, "textarea": str, "multiplechoice": str, "multiselect": str, "integer": int, "float": float}


def test_the_survey_has_the_form_that_awx_takes() -> None:
    """Its own checks: what must be there, of which type, and that a default is one of the choices."""
    assert {key: type(value) for key, value in survey().items()} == {"name": str, "description": str, "spec": list}
    assert len({it["variable"] for it in QUESTIONS}) == len(QUESTIONS)
    for question in QUESTIONS:
        words = {"question_name", "question_description", "variable", "type", "required", "default"}
        limits = {"choices"} if question["type"].startswith("multi") else {"min", "max"}
        assert set(question) == words | limits, question
        default = question["default"]
        assert isinstance(question["default"], TYPES[question["type"]]), question
        if "choices" in question:
            assert set(str(default).splitlines()) <= set(question["choices"]), question
        else:
            assert {type(question[limit]) for limit in limits} == {int}, question
            assert question["min"] <= default <= question["max"], question


def test_no_answer_to_the_survey_is_no_limit_or_no_protection() -> None:
    """AWX refuses to start without an answer that is required, and hands on an empty text where one may be."""
    for question in QUESTIONS:
        assert question["required"] is True, question
        # A list may be answered with none of its choices, and a text with nothing.
        assert question["type"] in ("multiplechoice", "integer"), question
    protections = next(it for it in QUESTIONS if it["variable"] == "tmux_cleanup_protect")
    defaults = yaml.safe_load((ROOT / "roles/tmux_cleanup/defaults/main.yml").read_text(encoding="utf-8"))
    for choice in protections["choices"]:
        assert set(defaults["tmux_cleanup_protect"]) <= set(choice.split(",")), choice


def answers(question: Dict[str, Any]) -> List[Any]:
    """What AWX may hand on: a text for a choice, a number for a number."""
    if "choices" in question:
        return list(question["choices"])
    return [question["default"], question["min"], question["max"]]


def test_the_role_takes_every_answer_to_the_survey(place: Place) -> None:
    """Run it with all the defaults, and then so often that each answer was given once."""
    specs = yaml.safe_load((ROOT / "roles/tmux_cleanup/meta/argument_specs.yml").read_text(encoding="utf-8"))
    assert {it["variable"] for it in QUESTIONS} <= set(specs["argument_specs"]["main"]["options"])
    alice = place.owners[0]
    place.populate(alice, "idle")
    place.write("hosts.ini", "here " + HERE)
    folders = "%s/ansible_collections/fleet" % COPIES
    require(place, "mkdir -p %s && ln -s %s %s/tmux" % (folders, CHECKOUT, folders))
    rounds = itertools.zip_longest(*[answers(question) for question in QUESTIONS])
    for chosen in rounds:
        given = {it["variable"]: it["default"] if value is None else value for it, value in zip(QUESTIONS, chosen)}
        place.write("answers.json", json.dumps(given))
        command = "cd %s && ansible-playbook -i hosts.ini fleet.tmux.cleanup -e @answers.json" % CHECKOUT
        said = require(place, command, ANSIBLE_COLLECTIONS_PATH=COPIES)
        assert "0 of 4 sessions on 1 host removed." in said, said
    assert place.sessions(alice) == ALL


# --- ansible-pull


def test_a_host_that_no_controller_reaches_pulls_and_leaves_its_metrics_where_they_are_read(place: Place) -> None:
    alice = populated(place)
    repository = copy(place, "pull")
    # The real directory is outside of this small world.
    edit(place, repository + "/local.yml", "/var/lib/node_exporter/textfile_collector", "/tmp/textfile_collector")
    commit(place, repository)
    install(place, repository)
    host = require(place, "uname -n").strip()
    pull = "ansible-pull -U file://%s -e tmux_cleanup_idle=%ds" % (repository, IDLE)
    found = {"ANSIBLE_COLLECTIONS_PATH": repository + "/collections"}

    planned = require(place, pull + " --check", **found)
    assert "1 of 4 sessions on 1 host would be removed." in planned, planned
    assert place.sessions(alice) == ALL
    done = require(place, pull, **found)
    assert "1 of 4 sessions on 1 host removed." in done, done
    assert place.sessions(alice) == STAY

    metrics = require(place, "cat /tmp/textfile_collector/tmux_cleanup.prom")
    assert 'tmux_cleanup_sessions{host="%s",outcome="removed"} 1\n' % host in metrics, metrics
    # What reads it is not root.
    seen = place.run("cat", "/tmp/textfile_collector/tmux_cleanup.prom", owner=alice, directory="/")
    assert seen == Done(0, metrics)


# --- ansible-builder


def test_the_collection_tells_ansible_builder_that_it_needs_nothing(place: Place) -> None:
    require(place, "ansible-galaxy collection install --offline -p %s %s" % (COPIES, CHECKOUT))
    installed = "%s/ansible_collections/fleet/tmux/meta/execution-environment.yml" % COPIES
    declared = yaml.safe_load(require(place, "cat " + installed))
    assert declared == {"version": 1, "dependencies": {}}
    # Without the file, it would take this for what the collection needs.
    place.write("%s/ansible_collections/fleet/tmux/requirements.txt" % COPIES, "pytest\n")
    said = yaml.safe_load(require(place, "ansible-builder introspect " + COPIES))
    assert said == {"python": [], "system": []}


def test_ansible_builder_takes_the_example_of_an_execution_environment(place: Place) -> None:
    require(place, "ansible-builder create -f %s/execution-environment.yml -c %s" % (BASE, COPIES))
    steps = require(place, "cat %s/Containerfile" % COPIES)
    for said in ("ansible-core", "ansible-runner", "ansible-galaxy collection install", "install -y git-core"):
        assert said in steps, steps
    collections = yaml.safe_load(require(place, "cat %s/_build/requirements.yml" % COPIES))["collections"]
    assert collections == [{"name": REPOSITORY, "type": "git", "version": "main"}]


# --- a long job


def long_job(place: Place, command: str, *words: str) -> Done:
    """Run the example on this machine; what is otherwise below the home of a user is where it goes with this world."""
    told = {"job_command": command, "job_poll": 1, "job_wait": "5m", "job_log": "/tmp/jobs/long-job.log"}
    play = ["ansible-playbook", "-i", "hosts.ini", "long_job.yml", "-e", json.dumps(told), *words]
    line = "cd %s && %s" % (COPIES, " ".join(map(shlex.quote, play)))
    return run(place, line, ANSIBLE_COLLECTIONS_PATH=COPIES, ANSIBLE_ASYNC_DIR="/tmp/async")


@pytest.mark.parametrize(("status", "rc"), [(0, 0), (3, 2)])
def test_the_example_of_a_long_job_tells_how_it_ended_and_cleans_up(place: Place, status: int, rc: int) -> None:
    folders = "%s/ansible_collections/fleet" % COPIES
    require(place, "mkdir -p %s /tmp/jobs && ln -s %s %s/tmux" % (folders, CHECKOUT, folders))
    require(place, "cp %s/long_job.yml %s" % (BASE, COPIES))
    place.write(COPIES + "/hosts.ini", "here " + HERE)
    # What is said just before the end the kernel may lose: so it waits until that stands in the log.
    command = "echo begun; until grep -q begun /tmp/jobs/long-job.log; do sleep 0.1; done; exit %d" % status
    planned = long_job(place, command, "--check")
    assert (planned.rc, "changed=1 " in planned.output) == (0, True), planned.output
    done = long_job(place, command)
    assert done.rc == rc, done.output
    assert '"exit_status": %d' % status in done.output, done.output
    assert ("It ended with 3." in done.output) == bool(status), done.output
    assert "WARNING" not in done.output, done.output
    assert require(place, "cat %s/logs/here/tmp/jobs/long-job.log" % COPIES) == "begun\r\n"
    assert require(place, "ls /tmp/jobs") == ""
    assert run(place, "tmux list-sessions").rc == 1


# --- all of them


@pytest.mark.parametrize("name", sorted(str(path.relative_to(EXAMPLES)) for path in EXAMPLES.rglob("requirements.yml")))
def test_every_example_gets_the_collection_from_where_galaxy_yml_says_it_is(name: str) -> None:
    said = yaml.safe_load((EXAMPLES / name).read_text(encoding="utf-8"))["collections"]
    repository: Optional[str] = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["repository"]
    assert said == [{"name": "%s.git" % repository, "type": "git", "version": "main"}]


def test_the_settings_for_the_navigator_name_files_that_are_there() -> None:
    settings = yaml.safe_load((EXAMPLES / "ansible-navigator.yml").read_text(encoding="utf-8"))["ansible-navigator"]
    option, _space, extravars = settings["ansible"]["cmdline"].partition(" @")
    assert option == "--extra-vars"
    for name in [settings["ansible"]["playbook"]["path"], extravars, *settings["ansible"]["inventory"]["entries"]]:
        assert (EXAMPLES / name).is_file(), name


def test_the_guide_links_to_files_that_are_there_and_shows_every_example() -> None:
    guide = ROOT / "docs" / "controllers.md"
    links = set(re.findall(r"\]\(([^)#]+)\)", guide.read_text(encoding="utf-8")))
    assert [link for link in links if not (guide.parent / link).exists()] == []
    folders = {"examples/" + path.name for path in EXAMPLES.iterdir()}
    assert folders - links == {"examples/long_job.yml"}  # which is not about controllers
    assert "](docs/examples/long_job.yml)" in (ROOT / "README.md").read_text(encoding="utf-8")
