"""orasim seen by go-ora, unmodified; the checks are in peers/go_ora/main.go."""
from support import peers


def load_tests(_loader, _tests, _pattern):
    return peers.suite("go_ora", lambda: [peers.path("go_ora", "go_ora_peer")],
                       [("11.2", ()), ("12.1", ()), ("19c", ()), ("23ai", ()),
                        ("19c", ("--marker-errors",))])
