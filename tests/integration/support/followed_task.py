"""What tests of tasks that follow their source do with one that runs."""
import contextlib
import json
import os
import signal
import time

DONE = 0


class FollowedTask:
    """For test cases with `target`, a server, and `name`, of the database there."""

    def wait_until(self, run, sql, rows, deadline_secs=60):
        """Until the target answers so, as long as the task runs."""
        end = time.monotonic() + deadline_secs
        with contextlib.closing(self.target.connect(self.name)) as connection:
            while True:
                with connection.cursor() as cursor:
                    cursor.execute(sql)
                    found = cursor.fetchall()
                if found == rows:
                    return
                self.assertTrue(run.child.is_running(), f"{run.child.output_tail()}\n{found}")
                self.assertLess(time.monotonic(), end, f"{run.child.output_tail()}\n{found}")
                os.sched_yield()

    def wait_for_event(self, run, is_wanted, deadline_secs=60):
        """The next event `cdc` that is wanted."""
        line = run.child.wait_for_line(
            lambda line: line.startswith('{"event":"cdc"') and is_wanted(json.loads(line)),
            deadline_secs)
        return json.loads(line)

    def stop(self, run, status=DONE):
        run.child.signal(signal.SIGTERM)
        run.finish(60)
        self.assertEqual(run.status, status, run.describe())
        return run
