"""How long `lrtune --help` takes, beside importing the two libraries that no command line of this kind can do without.

The two are run in turns, so that what else the machine does hits both; medians are compared.

    python benchmarks/startup.py [rounds]
"""

import statistics
import subprocess
import sys
import time

LIMIT = 1.5
COMMANDS = {
    "python -c 'import typer, rich'": [sys.executable, "-c", "import typer, rich"],
    "lrtune --help": [sys.executable, "-m", "lrtune", "--help"],
}


def seconds(command):
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    for command in COMMANDS.values():
        seconds(command)  # the first run compiles
    times = {name: [] for name in COMMANDS}
    for _ in range(rounds):
        for name, command in COMMANDS.items():
            times[name].append(seconds(command))
    medians = {name: statistics.median(each) for name, each in times.items()}
    for name, median in medians.items():
        print(f"{name:32} {median * 1000:6.0f} ms (median of {rounds})")
    base, ours = medians.values()
    print(f"ratio {ours / base:.2f}, at most {LIMIT}")


if __name__ == "__main__":
    main()
