# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An option is written once, in the documentation of its module: all that follows from it is written from there."""

import importlib.util
import re
import shutil
from pathlib import Path
from typing import Any, Dict

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "tests" / "update_options.py"
NEW = """\
options:
  politeness:
    description:
      - How polite it is, unlike O(idle). Politeness costs | nothing.
    type: str
    choices: [none, some]
    default: some
  monkeys:
    description: How many monkeys there are.
    type: int
"""


@pytest.fixture(scope="module")
def script() -> Any:
    spec = importlib.util.spec_from_file_location("update_options", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for folder in ("plugins", "roles"):
        shutil.copytree(str(ROOT / folder), str(tmp_path / folder))
    return tmp_path


def test_nothing_is_out_of_date(script: Any) -> None:
    stale = [str(path.relative_to(ROOT)) for path, _text in script.outdated(ROOT)]
    assert stale == [], "make options writes them"


def write(script: Any, root: Path) -> Dict[str, str]:
    written = {}
    for path, text in script.outdated(root):
        path.write_text(text, encoding="utf-8")
        written[str(path.relative_to(root))] = text
    return written


def document(root: Path, module: str) -> None:
    path = root / "plugins" / "modules" / (module + ".py")
    path.write_text(path.read_text(encoding="utf-8").replace("options:\n", NEW, 1), encoding="utf-8")


def test_a_new_option_is_one_place(script: Any, copy: Path) -> None:
    document(copy, "tmux_session_prune")
    written = write(script, copy)
    role = "roles/tmux_cleanup/"
    assert sorted(written) == [
        "plugins/module_utils/_specs/tmux_session_prune.py",
        role + "README.md",
        role + "defaults/main.yml",
        role + "meta/argument_specs.yml",
        role + "tasks/prune.yml",
    ]
    spec = written["plugins/module_utils/_specs/tmux_session_prune.py"]
    assert '    "politeness": {"type": "str", "choices": ["none", "some"], "default": "some"},\n' in spec
    assert '    "monkeys": {"type": "int"},\n' in spec
    variables = yaml.safe_load(written[role + "meta/argument_specs.yml"])["argument_specs"]["main"]["options"]
    assert variables["tmux_cleanup_politeness"] == {
        "description": ["How polite it is, unlike O(tmux_cleanup_idle). Politeness costs | nothing."],
        "type": "str",
        "choices": ["none", "some"],
        "default": "some",
    }
    defaults = yaml.safe_load(written[role + "defaults/main.yml"])
    assert (defaults["tmux_cleanup_politeness"], defaults["tmux_cleanup_monkeys"]) == ("some", None)
    (task,) = [it for it in yaml.safe_load(written[role + "tasks/prune.yml"]) if "fleet.tmux.tmux_session_prune" in it]
    arguments = task["fleet.tmux.tmux_session_prune"]
    assert arguments["politeness"] == "{{ tmux_cleanup_politeness }}"
    assert arguments["monkeys"] == "{{ omit if tmux_cleanup_monkeys is none else tmux_cleanup_monkeys }}"
    row = "| `tmux_cleanup_politeness` | `some` | How polite it is, unlike `tmux_cleanup_idle` |\n"
    assert row in written[role + "README.md"]
    assert write(script, copy) == {}


def test_options_of_a_fragment_are_those_of_every_module_with_it(script: Any, copy: Path) -> None:
    path = copy / "plugins" / "doc_fragments" / "connection.py"
    path.write_text(path.read_text(encoding="utf-8").replace("options:\n", NEW, 1), encoding="utf-8")
    specs = [re.sub(r".*/", "", name) for name in write(script, copy) if "/_specs/" in name]
    modules = ("tmux_send_keys", "tmux_session", "tmux_session_info", "tmux_session_prune", "tmux_session_wait")
    assert specs == [name + ".py" for name in modules]


def test_what_documentation_cannot_say_stands_below_it(script: Any, copy: Path) -> None:
    assert '"env": {"type": "dict", "no_log": True},' in script.argument_spec(copy, "tmux_session")
    path = copy / "plugins" / "modules" / "tmux_session.py"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('NO_LOG = {"env": True', 'NO_LOG = {"argv": False, "env": True'), encoding="utf-8")
    argv = '"argv": {"type": "list", "elements": "str", "no_log": False},'
    assert argv in write(script, copy)["plugins/module_utils/_specs/tmux_session.py"]


def test_without_its_place_nothing_is_written_elsewhere(script: Any, copy: Path) -> None:
    path = copy / "roles" / "tmux_cleanup" / "README.md"
    path.write_text(path.read_text(encoding="utf-8").replace("<!-- End of what is written. -->", ""), encoding="utf-8")
    with pytest.raises(SystemExit, match="no place for what is written"):
        write(script, copy)


def test_the_check_names_what_is_out_of_date_and_writes_nothing(
    script: Any, copy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(script, "ROOT", copy)
    assert script.main(["--check"]) == 0
    assert capsys.readouterr().out == ""
    document(copy, "tmux_session_info")
    for _again in range(2):
        assert script.main(["--check"]) == 1
        (line,) = capsys.readouterr().out.splitlines()
        assert line.startswith("plugins/module_utils/_specs/tmux_session_info.py is not what the documentation says")
    assert script.main([]) == 0
    assert capsys.readouterr().out == "wrote plugins/module_utils/_specs/tmux_session_info.py\n"
    assert script.main(["--check"]) == 0
