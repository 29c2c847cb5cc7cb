"""Splits a SQL*Plus script into the statements that SQL*Plus would send.

SQL ends at a line that ends with ';' outside quotes and comments, or at a line '/'. PL/SQL blocks and
stored code end at a line '/' only. SQL*Plus's own commands are left out.
"""
import re

COMMAND = re.compile(r"^\s*(rem|remark|prompt|set|pro|define|undefine|accept|spool|whenever|column|"
                     r"show|connect|exit|execute|pause|@)\b", re.I)
CODE = re.compile(r"^\s*(begin|declare|create(\s+or\s+replace)?(\s+(non)?editionable)?\s+"
                  r"(procedure|function|trigger|package|type))\b", re.I)


def _scan(line, state):
    """State after the line: 'code', "quote" or 'comment'; and the line's end without comments."""
    last = ""
    i = 0
    while i < len(line):
        pair = line[i:i + 2]
        if state == "code":
            if pair == "--":
                break
            if pair == "/*":
                state, i = "comment", i + 1
            elif line[i] == "'":
                state, last = "quote", "'"
            elif not line[i].isspace():
                last = line[i]
        elif state == "quote" and line[i] == "'":
            state = "code"  # '' inside a literal closes and opens again
        elif state == "comment" and pair == "*/":
            state, i = "code", i + 1
        i += 1
    return state, last


def statements(text):
    buffer, state = [], "code"
    for line in text.splitlines():
        if not buffer:
            stripped = line.strip()
            if not stripped or stripped == "/" or stripped.startswith("--") or COMMAND.match(line):
                continue
        is_code = CODE.match(buffer[0] if buffer else line)
        if line.strip() == "/" and state == "code":
            yield "\n".join(buffer)
            buffer = []
            continue
        buffer.append(line)
        state, last = _scan(line, state)
        if not is_code and state == "code" and last == ";":
            body = "\n".join(buffer)
            yield body[:body.rindex(";")]
            buffer = []
    if "".join(buffer).strip():
        yield "\n".join(buffer)
