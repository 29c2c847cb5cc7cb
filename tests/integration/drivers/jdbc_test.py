"""orasim seen by Oracle's JDBC thin driver, unmodified; the checks are in
peers/jdbc/JdbcPeer.java.
"""
import os

from support import peers


def command():
    driver, classes = peers.path("jdbc", "ojdbc11.jar"), peers.path("jdbc", "classes")
    return ["java", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-cp",
            os.pathsep.join((str(classes), str(driver))), "JdbcPeer"]


def load_tests(_loader, _tests, _pattern):
    return peers.suite("jdbc", command, [("12.2", ()), ("19c", ()), ("21c", ()), ("23ai", ())])
