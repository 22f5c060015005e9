#!/usr/bin/env python
# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write what follows from the documentation of options, where they are written by hand, and only there.

    tests/update_options.py [--check]

From the DOCUMENTATION of each module and its fragments comes its argument spec, in plugins/module_utils/_specs. From
that of tmux_session_prune come the variables of the role tmux_cleanup: their specification, defaults, table, and the
arguments of its task. With --check nothing is written, and what is out of date is named.
"""

import ast
import json
import re
import sys
import textwrap
import typing as t
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
WIDTH = 120
MODULE = "tmux_session_prune"
PREFIX = "tmux_cleanup_"
SELF = "tests/update_options.py"
LICENCE = "".join(Path(__file__).read_text(encoding="utf-8").splitlines(keepends=True)[1:4])
"""What each file begins with; this one does too."""
Options = t.Dict[str, t.Dict[str, t.Any]]


class Differs(t.NamedTuple):
    """How a variable of the role differs from the option of the module."""

    spec: t.Mapping[str, t.Any] = {}
    more: str = ""
    argument: str = ""


ROLE = {
    "all_users": Differs(
        spec={"default": True},
        more="It does not count when O(socket_name) or O(socket_path) is set.",
        # One socket leaves all users out; so nobody has to say both.
        argument="{{ tmux_cleanup_all_users if tmux_cleanup_socket_name is none and tmux_cleanup_socket_path is none"
        " else omit }}",
    ),
    "idle": Differs(
        spec={"default": "7d", "type": "raw"},  # a str, but ansible-core 2.16 would refuse null for that
        more="Null or an empty text switches it off, for when only O(older_than) or O(finished) shall count.",
    ),
    "memory_dir": Differs(
        spec={"default": "default"},
        more="Null or an empty text switches it off.",
    ),
    "notices_dir": Differs(
        spec={"default": "default"},
        more="Null or an empty text switches it off.",
    ),
    "planned": Differs(
        more="Null means no such limit; an empty list means none of them.", argument="{{ __tmux_cleanup_planned }}"
    ),
    "planned_marks": Differs(
        more="Null means no such limit; an empty list means none of them.",
        argument="{{ __tmux_cleanup_planned_marks }}",
    ),
    "snapshot_dir": Differs(
        spec={"default": "default"},
        more="Null or an empty text switches snapshots off.",
    ),
    "snapshot_keep": Differs(
        spec={"default": {"count": 100, "age": "30d", "size": "500M"}},
        more="It does not count when O(snapshot_dir) is off. Null keeps all.",
        argument="{{ omit if tmux_cleanup_snapshot_keep is none or tmux_cleanup_snapshot_dir in [none, '']"
        " else tmux_cleanup_snapshot_keep }}",
    ),
    "socket_name": Differs(more="When it or O(socket_path) is set, only that one server is looked at."),
    "users": Differs(more="Null means no such limit; an empty list means nobody."),
}


# --- reading ----------------------------------------------------------------------------------------------------------


def constants(path: Path) -> t.Dict[str, t.Any]:
    """The literals that a file, or the class in it, gives names to."""
    found: t.Dict[str, t.Any] = {}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            try:
                found[node.targets[0].id] = ast.literal_eval(node.value)
            except ValueError:
                continue
    return found


def documented(root: Path, module: str) -> Options:
    """The options of a module, those of its fragments included."""
    found = constants(root / "plugins" / "modules" / (module + ".py"))
    documentation = yaml.safe_load(found["DOCUMENTATION"])
    options: Options = dict(documentation.get("options") or {})
    for fragment in documentation.get("extends_documentation_fragment", []):
        name, _dot, part = fragment[len("fleet.tmux.") :].partition(".")
        texts = constants(root / "plugins" / "doc_fragments" / (name + ".py"))
        options.update(yaml.safe_load(texts[(part or "documentation").upper()]).get("options") or {})
    for path, value in found.get("NO_LOG", {}).items():
        *outer, option = path.split(".")
        inner = options
        for name in outer:
            inner = inner[name]["suboptions"]
        inner[option]["no_log"] = value
    return options


# --- argument specs ---------------------------------------------------------------------------------------------------

KEYS = ("type", "elements", "choices", "required", "default", "no_log")


def specified(option: t.Mapping[str, t.Any]) -> t.Dict[str, t.Any]:
    """The part of an option's documentation that Ansible holds values against."""
    spec = {key: option[key] for key in KEYS if key in option}
    if "suboptions" in option:
        spec["options"] = {name: specified(inner) for name, inner in option["suboptions"].items()}
    return spec


def argument_spec(root: Path, module: str) -> str:
    spec = {name: specified(option) for name, option in documented(root, module).items()}
    body = literal(spec, len("ARGUMENT_SPEC: Dict[str, Dict[str, Any]] = "), 0)
    return (
        '%s\n"""The options of %s, written by %s from its documentation."""\n\n'
        "from typing import Any, Dict\n\nARGUMENT_SPEC: Dict[str, Dict[str, Any]] = %s\n"
    ) % (LICENCE, module, SELF, body)


def literal(value: t.Any, column: int, indent: int) -> str:
    """A value as Python, laid out as ruff does: in one line, or one item in a line."""
    flat = _flat(value)
    if not isinstance(value, dict) or (indent and column + len(flat) < WIDTH):
        return flat
    inner = indent + 4
    items = [(_flat(key), item) for key, item in value.items()]
    lines = [" " * inner + "%s: %s,\n" % (key, literal(item, inner + len(key) + 2, inner)) for key, item in items]
    return "{\n%s%s}" % ("".join(lines), " " * indent)


def _flat(value: t.Any) -> str:
    if isinstance(value, dict):
        return "{%s}" % ", ".join("%s: %s" % (_flat(key), _flat(item)) for key, item in value.items())
    if isinstance(value, list):
        return "[%s]" % ", ".join(_flat(item) for item in value)
    return json.dumps(value) if isinstance(value, str) else repr(value)


# --- the role ---------------------------------------------------------------------------------------------------------


def variables(root: Path) -> Options:
    """What the role takes over from the module, by the names of the module."""
    found = {}
    for name, option in documented(root, MODULE).items():
        differs = ROLE.get(name, Differs())
        words = [option["description"]] if isinstance(option["description"], str) else option["description"]
        described = [*words, *([differs.more] if differs.more else [])]
        spec = dict(specified(option), **differs.spec)
        spec.pop("no_log", None)
        if "suboptions" in option:
            for inner, suboption in option["suboptions"].items():
                spec["options"][inner] = {"description": _of_role(suboption["description"]), **spec["options"][inner]}
        found[name] = {"description": [_of_role(text) for text in described], **spec}
    return found


def _of_role(text: str) -> str:
    """A sentence of the module's documentation, as one of the role's."""
    text = re.sub(r"\bO\((?!\w+\.\w+\.)(\w)", r"O(%s\1" % PREFIX, text)
    return re.sub(r"\bRV\((?:ignore:)?(\w)", r"RV(fleet.tmux.%s#module:\1" % MODULE, text)


class _Dumper(yaml.SafeDumper):
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> t.Any:
        return super().increase_indent(flow, False)


class _Flow(list):  # type: ignore[type-arg]
    """A list that stays in one line."""


_Dumper.add_representer(_Flow, lambda dumper, data: dumper.represent_sequence("tag:yaml.org,2002:seq", data, True))
_Dumper.add_representer(type(None), lambda dumper, _data: dumper.represent_scalar("tag:yaml.org,2002:null", "null"))


def dumped(value: t.Any, indent: int) -> str:
    shaped = {name: _shaped(item) for name, item in value.items()}
    text = yaml.dump(shaped, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=WIDTH - indent - 4)
    return textwrap.indent(text, " " * indent)


def _shaped(value: t.Any) -> t.Any:
    """Lists of single words stay in one line."""
    if isinstance(value, dict):
        return {key: _shaped(item) for key, item in value.items()}
    if isinstance(value, list) and all(" " not in str(item) for item in value):
        return _Flow(value)
    return value


def role_specification(root: Path, text: str) -> str:
    named = {PREFIX + name: option for name, option in variables(root).items()}
    return between(text, "      # ", "", dumped(named, 6))


def role_defaults(root: Path, _text: str) -> str:
    named = {name: option.get("default") for name, option in all_variables(root).items()}
    told = '# Written by %s. Null is "not given".\n' % SELF
    return "---\n" + LICENCE + "\n" + told + dumped(named, 0)


def all_variables(root: Path) -> Options:
    """The options of the module, and the role's own variables; these are written by hand, in its specification."""
    named = {PREFIX + name: option for name, option in variables(root).items()}
    specs = yaml.safe_load((root / "roles/tmux_cleanup/meta/argument_specs.yml").read_text(encoding="utf-8"))
    for entry_point in specs["argument_specs"].values():
        for name, option in entry_point["options"].items():
            if not str(option["description"]).startswith("As in"):
                named.setdefault(name, option)
    return named


def role_arguments(root: Path, text: str) -> str:
    empty = constants(root / "plugins" / "plugin_utils" / "_arguments.py")["EMPTY_IS_OFF"]
    lines = ['    %s: "%s"\n' % (name, _argument(name, spec, name in empty)) for name, spec in variables(root).items()]
    return between(text, "    # ", "", "".join(lines))


def _argument(name: str, option: t.Mapping[str, t.Any], empty_is_off: bool) -> str:
    differs = ROLE.get(name, Differs())
    variable = PREFIX + name
    if differs.argument:
        return differs.argument
    if empty_is_off:
        return "{{ omit if %s in [none, ''] else %s }}" % (variable, variable)
    return "{{ %s }}" % variable if "default" in option else "{{ omit if %s is none else %s }}" % (variable, variable)


def role_table(root: Path, text: str) -> str:
    rows = [
        "| `%s` |%s| %s |\n" % (name, _default(spec), _first_sentence(spec))
        for name, spec in all_variables(root).items()
    ]
    return between(text, "<!-- ", " -->", "\n| variable | default | meaning |\n|---|---|---|\n%s\n" % "".join(rows))


def _default(option: t.Mapping[str, t.Any]) -> str:
    value = option.get("default")
    if value is None:
        return " "
    shown = "[%s]" % ", ".join(value) if isinstance(value, list) else str(value)
    if isinstance(value, dict):
        shown = "{%s}" % ", ".join("%s: %s" % item for item in value.items())
    return " `%s` " % (str(value).lower() if isinstance(value, bool) else shown)


def _first_sentence(option: t.Mapping[str, t.Any]) -> str:
    words = option["description"]
    first = re.split(r"(?<=\.)\s", words if isinstance(words, str) else words[0])[0]
    first = re.sub(r"\b(?:O|V|C|E|M|RV)\((?:[\w.]+#\w+:)?(.*?)\)", r"`\1`", first)
    return first[:-1].replace("|", "\\|") if first.endswith(".") else first


def between(text: str, mark: str, end: str, written: str) -> str:
    """``text`` with what is written between its two marks, which are comments."""
    begin = "%sWritten by %s, from the documentation of %s.%s\n" % (mark, SELF, MODULE, end)
    done = "%sEnd of what is written.%s\n" % (mark, end)
    before, found, rest = text.partition(begin)
    _old, found_too, after = rest.partition(done)
    if not (found and found_too):
        raise SystemExit("no place for what is written; it begins with the line\n%sand ends with\n%s" % (begin, done))
    return before + begin + written + done + after


# --- all of it --------------------------------------------------------------------------------------------------------

ROLE_FILES: t.Dict[str, t.Callable[[Path, str], str]] = {
    "roles/tmux_cleanup/meta/argument_specs.yml": role_specification,
    "roles/tmux_cleanup/defaults/main.yml": role_defaults,
    "roles/tmux_cleanup/tasks/prune.yml": role_arguments,
    "roles/tmux_cleanup/README.md": role_table,
}


def outdated(root: Path) -> t.Iterator[t.Tuple[Path, str]]:
    """The files that do not say what the documentation says, and what they should say; each as soon as it is known."""
    specs = root / "plugins" / "module_utils" / "_specs"
    modules = sorted(path.stem for path in (root / "plugins" / "modules").glob("*.py"))
    for module in modules:
        yield from _unless_same(specs / (module + ".py"), argument_spec(root, module))
    for name, make in ROLE_FILES.items():
        yield from _unless_same(root / name, make(root, _read(root / name)))


def _unless_same(path: Path, text: str) -> t.Iterator[t.Tuple[Path, str]]:
    if _read(path) != text:
        yield path, text


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def main(arguments: t.Sequence[str]) -> int:
    check = "--check" in arguments
    found = 0
    for path, text in outdated(ROOT):
        found += 1
        if check:
            print("%s is not what the documentation says: %s writes it" % (path.relative_to(ROOT), SELF))
        else:
            path.write_text(text, encoding="utf-8")
            print("wrote %s" % path.relative_to(ROOT))
    return int(check and found > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
