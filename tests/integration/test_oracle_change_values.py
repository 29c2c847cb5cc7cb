"""Generated values through Oracle's redo: driver -> orasim's LogMiner -> wherry -> PostgreSQL, compared
here and by `wherry validate`. WHERRY_SEED=N repeats a run."""
import unittest

from support.round_trips import RoundTrips


class ChangedValues(RoundTrips):
    BY_CHANGES = True

    def test_numbers(self):
        self.round_trip("numbers")

    def test_texts(self):
        self.round_trip("texts")

    def test_dates(self):
        self.round_trip("dates")

    def test_time_zones(self):
        self.round_trip("zones")

    def test_intervals(self):
        self.round_trip("intervals")

    def test_bytes(self):
        self.round_trip("bytes")

    def test_floats(self):
        self.round_trip("floats")

    def test_lobs(self):
        self.round_trip("lobs")


class LateChangedValues(RoundTrips):
    EMULATE = "23ai"
    BY_CHANGES = True

    def test_json(self):
        self.round_trip("documents")

    def test_booleans(self):
        self.round_trip("booleans")

    def test_vectors(self):
        self.round_trip("vectors")

    def test_xml(self):
        self.round_trip("pages")

    def test_strings_of_32_kilobytes(self):
        self.round_trip("wide")


if __name__ == "__main__":
    unittest.main()
