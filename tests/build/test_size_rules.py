"""The size rule sees functions where they are, and this tree obeys it."""

import subprocess
import sys

import pytest

RULES = "tests/build/size_rules.py"


def breaches(source_dir, path):
    done = subprocess.run([sys.executable, source_dir / RULES, path], text=True, capture_output=True, timeout=30)
    return done.returncode, done.stdout


def lines(count, text="    x();\n"):
    return text * count


CASES = {
    "a function of 60 lines": ("f.cpp", "void f()\n{\n" + lines(57) + "}\n", []),
    "a function of 61 lines": ("f.cpp", "void f()\n{\n" + lines(58) + "}\n", ["f.cpp:1: a function of 61 lines"]),
    "a method in a class": (
        "f.hpp", "class A {\n    int f() const\n    {\n" + lines(58) + "    }\n};\n", [":2: a function"]),
    "a long class of short methods": ("f.hpp", "class A {\n" + lines(100, "    int f() { return 1; }\n") + "};\n", []),
    "a long namespace": ("f.cpp", "namespace a {\n" + lines(100, "int x;\n") + "}\n", []),
    "a long table": ("f.cpp", "constexpr std::array k = {\n" + lines(100, "    f(1),\n") + "};\n", []),
    "braces in comments and strings": (
        "f.cpp", 'void f()\n{ // }\n    g("}", \'}\');\n' + lines(58) + "}\n", [":1: a function"]),
    "a template": ("f.hpp", "template <typename T>\nvoid f(T x)\n{\n" + lines(58) + "}\n", [":1: a function"]),
    "a file of 401 lines": ("f.cpp", lines(401, "int x;\n"), [":1: 401 lines"]),
    "a Python function": ("f.py", "def f():\n" + lines(60, "    x()\n"), [":1: a function of 61"]),
    "a shell function": ("f.sh", "f() {\n" + lines(60, "    x\n") + "}\n", [":1: a function of 62"]),
}


@pytest.mark.parametrize("case", CASES)
def test_the_rule_judges(source_dir, tmp_path, case):
    # Goal: neither blind nor shy. Method: one file for each shape, with what must be said of it.
    name, text, expected = CASES[case]
    (tmp_path / name).write_text(text)
    code, said = breaches(source_dir, tmp_path / name)
    assert code == (1 if expected else 0), said
    assert len(said.splitlines()) == len(expected) and all(part in said for part in expected), said
