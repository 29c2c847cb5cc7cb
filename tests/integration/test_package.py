"""The Oracle client as others use it: installed, found by CMake, its examples built on it alone."""
import os
import pathlib
import subprocess
import tempfile
import unittest

from support.orasim import PASSWORD, USER, Orasim
from support.paths import BUILD, ROOT


class Package(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.directory = pathlib.Path(scratch.name)

    def run_tool(self, *command):
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                              timeout=300)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_examples_on_the_installed_client(self):
        prefix, built = self.directory / "prefix", self.directory / "built"
        self.run_tool("cmake", "--install", BUILD, "--prefix", prefix)
        # A copy: nothing of this repository but what was installed may be needed.
        examples = self.directory / "examples"
        self.run_tool("cp", "-r", ROOT / "examples", examples)
        self.run_tool("cmake", "-S", examples, "-B", built, "-G", "Ninja",
                      f"-DCMAKE_PREFIX_PATH={prefix}")
        self.run_tool("ninja", "-C", built, "dump_query")
        sim = Orasim()
        self.addCleanup(sim.close)
        done = subprocess.run([built / "dump_query", sim.dsn, USER, "select 1 + 1 two from dual"],
                              env=dict(os.environ, ORACLE_PASSWORD=PASSWORD), capture_output=True,
                              text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn('["2"]', done.stdout)


if __name__ == "__main__":
    unittest.main()
