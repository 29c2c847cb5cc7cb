"""Where the build and the shared facts are."""
import os
import pathlib
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUILD = pathlib.Path(os.environ.get("WHERRY_BUILD", ROOT / "build")).resolve()
WHERRY = BUILD / "wherry"
ORASIM = BUILD / "orasim"
LONG = os.environ.get("WHERRY_LONG") == "1"


def shared(*parts):
    """A path under ../shared. Without it the test is skipped, in CI it fails."""
    root = pathlib.Path(os.environ.get("WHERRY_SHARED", ROOT.parent / "shared"))
    path = root.joinpath(*parts)
    if path.exists():
        return path
    if os.environ.get("WHERRY_REQUIRE_SHARED") == "1":
        raise AssertionError(f"{path} is missing; set WHERRY_SHARED to the folder of shared facts")
    raise unittest.SkipTest(f"{path} is not there (set WHERRY_SHARED)")
