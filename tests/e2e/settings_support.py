"""Settings of programs that run: the file they read, and what they say of it."""

import signal

from fleet import wait_until


class Settings:
    """The file that all programs of a fleet read."""

    def __init__(self, fleet, path):
        self.path = path
        self.write("")
        fleet.environment["FACEFLEET_CONFIG"] = str(path)

    def write(self, text):
        self.path.write_text(text)

    def change(self, program, text):
        """Writes the file, signals, and waits until the program has taken it over."""
        applied, unchanged = reloads(program), reloads(program, "unchanged")
        self.write(text)
        program.process.send_signal(signal.SIGHUP)
        wait_until(lambda: reloads(program) > applied, f"{program.name} has read its settings")
        # That is counted before the program does anything with them; one more look comes after.
        program.process.send_signal(signal.SIGHUP)
        wait_until(lambda: reloads(program, "unchanged") > unchanged, f"{program.name} has taken them over")


def reloads(program, outcome="applied"):
    return program.metric(f'facefleet_config_reloads_total{{outcome="{outcome}"}}') or 0


def says(program, message, **fields):
    return [
        line
        for line in program.log_lines()
        if line.get("message") == message and all(line.get(key) == value for key, value in fields.items())
    ]
