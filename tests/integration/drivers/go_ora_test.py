"""orasim seen by go-ora, unmodified; the checks are in peers/go_ora/main.go.

Also with native network encryption and integrity: every check under each algorithm, and who may talk
to whom for all levels of both sides (that of SQLNET.ENCRYPTION_SERVER and _CLIENT).
"""
import os
import subprocess
import unittest

from support import peers
from support.proxy import Proxy

LEVELS = ("rejected", "accepted", "requested", "required")
# The server's choice; go-ora offers every algorithm that it has.
ALGORITHMS = (("AES256", "SHA512"), ("AES192", "SHA384"), ("AES128", "SHA256"), ("AES256", "SHA1"))


def is_refused(client, server):
    return {client, server} == {"required", "rejected"}


def is_on(client, server):
    levels = {client, server}
    return "rejected" not in levels and bool(levels & {"requested", "required"})


class Recorder(Proxy):
    """Keeps what passes, so that a test sees whether it can be read."""

    def __init__(self, port):
        self.seen = bytearray()
        super().__init__("127.0.0.1", port)

    def _kept(self, side, data):
        self.seen += data
        return super()._kept(side, data)


class NetworkServices(unittest.TestCase):
    """Levels of both sides. The SQL of the check is on the wire in the clear, or it is not."""

    def levels(self, client_option, server_option):
        program = str(peers.path("go_ora", "go_ora_peer"))
        for server_level in LEVELS:
            server = peers.Server(server_option, server_level)
            self.addCleanup(server.close)
            for client_level in LEVELS:
                proxy = Recorder(server.port)
                env = {**os.environ, "PEER_OPTIONS": f"&{client_option}={client_level}"}
                done = subprocess.run(
                    [program, f"127.0.0.1:{proxy.port}", peers.SERVICE, peers.USER, peers.PASSWORD,
                     "19c", "connects"], env=env, capture_output=True, text=True,
                    timeout=peers.LIMIT_SECS)
                proxy.close()
                yield client_level, server_level, done.stdout, proxy

    def test_encryption(self):
        for client, server, output, proxy in self.levels("encryption", "--encryption"):
            is_ok = output.startswith("ok connects")
            self.assertEqual(not is_refused(client, server), is_ok, (client, server, output))
            if is_ok:
                self.assertEqual(not is_on(client, server), b"select 'seen'" in proxy.seen,
                                 (client, server))

    def test_integrity(self):
        for client, server, output, proxy in self.levels("data integrity", "--checksum"):
            is_ok = output.startswith("ok connects")
            self.assertEqual(not is_refused(client, server), is_ok, (client, server, output))
            self.assertEqual(is_ok, b"select 'seen'" in proxy.seen, (client, server))


def load_tests(loader, _tests, _pattern):
    servers = [("11.2", ()), ("12.1", ()), ("19c", ()), ("23ai", ()), ("19c", ("--marker-errors",))]
    for cipher, checksum in ALGORITHMS:
        servers.append(("19c", ("--encryption", "required", "--encryption-types", cipher,
                                "--checksum", "required", "--checksum-types", checksum)))
    suite = peers.suite("go_ora", lambda: [peers.path("go_ora", "go_ora_peer")], servers)
    suite.addTests(loader.loadTestsFromTestCase(NetworkServices))
    return suite
