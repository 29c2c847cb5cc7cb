#!/usr/bin/env python3
"""Makes docs/reference/errors.md from the error codes in the sources.

usage: list_errors.py            writes the page
       list_errors.py --check    fails when the page is not up to date, or a code has two kinds
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "errors.md"
START = re.compile(r'ErrorKind::k(\w+),\s*"([a-z_0-9]+\.[a-z_0-9]+)"\s*(?=[,)}])')
LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"')
CONSTANT = re.compile(r'constexpr\s+(?:const char\*|std::string_view|auto)\s+(k\w+)\s*(?:\[\])?\s*='
                      r'\s*((?:"(?:[^"\\]|\\.)*"\s*)+);')
FORMATTED = re.compile(r'fmt::format\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+)')
HEAD = """# Error codes

Every error names its code, what failed, the server's own words where there are some, and what to do.
Codes are stable: search for them. `…` stands for a name or a value. This page is made by
`make docs`.

What the kinds mean for a task:

| kind | what happens |
| --- | --- |
| transient | tried again with growing pauses, then the task fails; starting it again is safe |
| config | the request was wrong: exit status 2 |
| auth, permission | a login or a privilege; nothing is tried again |
| schema, data, unsupported | one table is in error, the others go on: exit status 3 |
| position_lost | the source can no longer show a table as of the load: it is in error, the others go on; load again with `--start reload-target` |
| resource | disk, memory or connections; the task fails |
| cancelled | stopping was asked for |
| internal | a mistake in Wherry: one table is in error, the others go on; please report it |
"""


def snake(name):
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def arguments(text, at):
    """The argument expressions from the comma at `at` to the end of the call or initialiser."""
    depth, start, found = 0, at + 1, []
    i = at + 1
    while i < len(text):
        c = text[i]
        if c == '"':
            i = LITERAL.match(text, i).end()
            continue
        if c in "([{":
            depth += 1
        elif c in ")]}":
            if depth == 0:
                found.append(text[start:i])
                return found
            depth -= 1
        elif c == "," and depth == 0:
            found.append(text[start:i])
            start = i + 1
        i += 1
    return found


def words(expression, constants):
    """Text of an expression of literals, constants and formatted values."""
    for name, value in constants.items():
        expression = re.sub(rf"\b{name}\b", f'"{value}"', expression)
    formatted = FORMATTED.search(expression)
    if formatted:
        expression = formatted[1]
    text, at = "", 0
    for literal in LITERAL.finditer(expression):
        text += "…" * bool(expression[at:literal.start()].strip(" \n+")) + literal[1]
        at = literal.end()
    text += "…" * bool(expression[at:].strip(" \n+"))
    text = re.sub(r"\{[^{}]*\}", "…", text).replace('\\"', '"').replace("\\n", " ")
    return re.sub(r"\s+", " ", text).replace("|", "\\|").strip()


def collect():
    codes = {}
    for folder in ("src", "apps"):
        for path in sorted((ROOT / folder).rglob("*.cpp")):
            if path.name.endswith("_test.cpp"):
                continue
            text = re.sub(r"^\s*//.*$", "", path.read_text(encoding="utf-8"), flags=re.M)
            constants = {name: "".join(LITERAL.findall(value))
                         for name, value in CONSTANT.findall(text)}
            for match in START.finditer(text):
                rest = arguments(text, match.end()) if text[match.end():match.end() + 1] == "," else []
                message = words(rest[0], constants) if rest else ""
                hint = words(rest[1], constants) if len(rest) > 1 else ""
                codes.setdefault(match[2], []).append((snake(match[1]), message, hint))
    return codes


def page(codes):
    lines = [HEAD]
    area = ""
    for code in sorted(codes):
        if code.split(".")[0] != area:
            area = code.split(".")[0]
            lines += ["", f"## {area}", "", "| code | kind | message | what to do |",
                      "| --- | --- | --- | --- |"]
        entries = codes[code]
        messages = list(dict.fromkeys(m for _, m, _ in entries if m))
        hints = list(dict.fromkeys(h for _, _, h in entries if h))
        kinds = list(dict.fromkeys(k for k, _, _ in entries))
        lines.append(f"| `{code}` | {', '.join(kinds)} | {'<br>'.join(messages)} | "
                     f"{'<br>'.join(hints)} |")
    return "\n".join(lines) + "\n"


def main():
    codes = collect()
    text = page(codes)
    if sys.argv[1:] != ["--check"]:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(text, encoding="utf-8")
        return 0
    if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
        print("docs/reference/errors.md is not up to date; run `make docs`")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
