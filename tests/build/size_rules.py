"""No function over 60 lines, no file over 400: prints what breaks the rule as file:line, and exits 1.

C++ is read by its braces, Python by its syntax tree, shell by the closing brace in column 0. A lambda counts with the
function that holds it.
"""

import ast
import re
import sys
from pathlib import Path

FILE_LINES = 400
FUNCTION_LINES = 60
CPP = {".cpp", ".hpp"}

NOT_A_FUNCTION = re.compile(r"^\s*(namespace|class|struct|enum|union|extern|if|for|while|switch|catch|do|else|try)\b")
TEMPLATE_OR_ATTRIBUTE = re.compile(r"^\s*(template\s*<[^{};]*>|\[\[[^]]*\]\])\s*(?=(class|struct|enum|union)\b)")


def blank_out(text):
    """The same text with comments, strings and preprocessor lines made of spaces: braces and lines stay in place."""
    token = re.compile(
        r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\''
        r"|^[ \t]*#(?:\\\n|[^\n])*",
        re.S | re.M,
    )
    return token.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


def opens_function(head):
    head = TEMPLATE_OR_ATTRIBUTE.sub("", head)
    return ")" in head and not NOT_A_FUNCTION.match(head) and not re.search(r"=\s*$", head)


def cpp_functions(text):
    """(first line, last line) of every outermost function."""
    text = blank_out(text)
    depth, function_depth, first, head_start = 0, None, 0, 0
    for place in re.finditer(r"[{};]", text):
        symbol = place.group()
        if symbol == "{":
            head = text[head_start : place.start()]
            if function_depth is None and opens_function(head):
                function_depth = depth
                first = text.count("\n", 0, head_start + len(head) - len(head.lstrip())) + 1
            depth += 1
        elif symbol == "}":
            depth -= 1
            if depth == function_depth:
                yield first, text.count("\n", 0, place.start()) + 1
                function_depth = None
        head_start = place.end()


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.lineno, node.end_lineno


def shell_functions(text):
    first = None
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(r"^\w+\(\) *\{$", line):
            first = number
        elif line == "}" and first:
            yield first, number
            first = None


def functions(path, text):
    if path.suffix in CPP:
        return cpp_functions(text)
    return python_functions(text) if path.suffix == ".py" else shell_functions(text)


def breaches(path):
    text = path.read_text()
    lines = text.count("\n")
    if lines > FILE_LINES:
        yield f"{path}:1: {lines} lines; a file has at most {FILE_LINES}"
    for first, last in functions(path, text):
        if last - first + 1 > FUNCTION_LINES:
            yield f"{path}:{first}: a function of {last - first + 1} lines; it has at most {FUNCTION_LINES}"


def files(roots):
    for root in map(Path, roots):
        if root.is_file():
            yield root
        else:
            yield from (p for p in sorted(root.rglob("*")) if p.suffix in CPP | {".py", ".sh"})


def main(roots):
    found = [breach for path in files(roots) for breach in breaches(path)]
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
