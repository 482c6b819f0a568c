"""The long form of the tests of durability: `make torture`.

    python tests/durability/torture.py [--quick] [--only PART ...]

Searches are killed at every point where they write, and fifty at random instants; of the workers of every engine that
is installed thirty in each phase, and thirty searches on each; two thousand broken experiments and
tables are tried, and every command on three thousand that are odd but legal. It says what it did, then the verdict,
which is the exit code as well. Ray and Dask are installed where the extras are tested:

    .venv/extras/bin/python tests/durability/torture.py --only engines
"""

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from accepted import attempts
from crashes import at_points, at_random_instants, seconds_of
from engine_kills import ENGINES, PHASES, search_dies, there, workers_die
from exchanges import PHASES as FOLDER_PHASES
from exchanges import parent_killed, with_kills
from fuzzing import fuzz
from studies import FUNCTION, LONGER, OF_A_FUNCTION, OF_A_PROGRAM, PLAIN, PROGRAM, RACE, Forks, content

INSTANTS, OTHERS_OF_EACH, EXAMPLES, CASES = 50, 10, 2000, 3000
KILLS, KILLS_OF_ONE, KILLS_IN_ROUNDS = 30, 3, 10
"""Workers killed in each phase, in each study, and in one of many rounds."""

MANY_ROUNDS = LONGER.replace("round: 24", "round: 8")


def say(text):
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def killed_where_it_writes(folder, every):
    """Kill two studies at every point."""
    wrong = []
    with Forks(folder) as forks:
        for name, text in (("plain", PLAIN), ("race", RACE)):
            (folder / f"{name}.yaml").write_text(text)
            code = forks.run("search", f"{name}.yaml", "--output", name, "--workers", 1, "--quiet")
            assert code == 0, forks.said
            points = range(0, forks.points, every)
            found = at_points(forks, f"{name}.yaml", content(folder / name), points)
            say(f"  {name}: killed at {len(points)} points where it writes, resumed, compared: {len(found)} wrong")
            wrong += found
    return wrong


def killed_at_random(folder, studies, seed):
    """Kill studies at random instants, with and without workers, up to three times each."""
    (folder / "longer.yaml").write_text(LONGER)
    kills, wrong, identical = some_killed_at_random(folder, "longer.yaml", studies, seed)
    say(f"  random instants (seed {seed}): {kills} kills, {identical} of {studies} studies identical")
    return wrong


def others_killed_at_random(folder, studies, seed):
    """Kill searches with a function and with a program at random instants."""
    wrong = []
    for kind, name, code, text in (
        ("function", "train.py", FUNCTION, OF_A_FUNCTION),
        ("program", "program.py", PROGRAM, OF_A_PROGRAM),
    ):
        here = folder / kind
        here.mkdir()
        (here / name).write_text(code)
        (here / "file.yaml").write_text(text)
        kills, found, identical = some_killed_at_random(here, "file.yaml", studies, seed)
        wrong += [f"{kind}, {each}" for each in found]
        say(f"  of a {kind}: {kills} kills, {identical} of {studies} studies identical, no process left over")
    return wrong


def some_killed_at_random(folder, file, studies, seed):
    """Kill studies of a file; gives how often, what is wrong, and how many came out as undisturbed ones."""
    rng, wrong, identical, kills = np.random.default_rng(seed), [], 0, 0
    undisturbed, seconds = seconds_of(folder, file, 1)
    for number in range(studies):
        workers = 1 + number % 2
        name = f"random-{number}"
        done, found = at_random_instants(
            folder, file, name, rng, workers=workers, seconds=seconds, undisturbed=undisturbed
        )
        kills += done
        identical += not found
        wrong += [f"study {number}: {each}" for each in found]
    return kills, wrong, identical


def workers_killed(folder, kills, seed):
    """Kill workers of searches on a folder in every phase, and the searches themselves."""
    (folder / "exchange.yaml").write_text(LONGER)
    undisturbed, _ = seconds_of(folder, "exchange.yaml", 1)
    rng, wrong = np.random.default_rng(seed), []
    for phase in FOLDER_PHASES:
        done = studies = 0
        while done < kills and studies < kills:
            name, more = f"exchange-{phase}-{studies}", [phase] * min(KILLS_OF_ONE, kills - done)
            found, said = with_kills(folder, "exchange.yaml", name, rng, undisturbed=undisturbed, phases=more)
            wrong, done, studies = wrong + said, done + found, studies + 1
        wrong += [] if done == kills else [f"folder, {phase}: only {done} kills in {studies} studies"]
        say(f"  workers killed while {phase}: {done} in {studies} studies, {len(wrong)} wrong so far")
    for number in range(kills):
        wrong += parent_killed(folder, "exchange.yaml", f"parent-{number}", undisturbed=undisturbed)
    say(f"  searches killed: {kills}, {len(wrong)} wrong so far")
    return wrong


def engines_killed(folder, kills, seed):
    """Kill workers of the other engines in every phase, and searches on them; says at once what is wrong."""
    (folder / "engines.yaml").write_text(MANY_ROUNDS)
    undisturbed, _ = seconds_of(folder, "engines.yaml", 1)
    rng, wrong = np.random.default_rng(seed), []
    for engine in there():

        def killed(name, phase, most, engine=engine):
            if phase is None:
                return search_dies(folder, "engines.yaml", name, engine, rng, undisturbed=undisturbed, most=most)
            return workers_die(folder, "engines.yaml", name, engine, undisturbed=undisturbed, phase=phase, most=most)

        for phase in (*PHASES, None):
            called = "searches killed" if phase is None else f"workers killed while {phase}"
            done, studies, longest = 0, 0, 0.0
            while done < kills and studies < kills:
                most = min(KILLS_OF_ONE if phase is None else KILLS_IN_ROUNDS, kills - done)
                found, said, silence = killed(f"{engine}-{phase}-{studies}", phase, most)
                wrong, done, studies, longest = wrong + said, done + found, studies + 1, max(longest, silence)
                for each in said:
                    say(f"    wrong: {each}")
            if done < kills:
                wrong.append(f"{engine}, {called}: only {done} in {studies} studies")
            say(
                f"  {engine}, {called}: {done} in {studies} studies, {len(wrong)} wrong so far, "
                f"silent for {longest:.1f} s at most"
            )
    for engine in sorted({*ENGINES} - {*there()}):
        say(f"  {engine}: not installed, left out")
    return wrong


def broken_files(folder, examples):
    """Try broken experiments and tables."""
    seen = []
    try:
        fuzz(folder / "broken", examples, seen)
    except AssertionError as error:
        return [f"fuzzing: {error}"]
    finally:
        codes = ", ".join(f"{count} ended with {code}" for code, count in sorted(Counter(seen).items()))
        say(f"  broken files: {len(seen)} tried: {codes}")
    return []


def odd_files(folder, cases):
    """Try every command on odd but legal experiments and tables."""
    seen, wrong = attempts(folder / "odd", range(cases))
    for command in dict.fromkeys(command for command, _ in sorted(seen)):
        codes = ", ".join(f"{count} with {code}" for (name, code), count in sorted(seen.items()) if name == command)
        say(f"  {command}: {codes}")
    return wrong


PARTS = {
    "searches": (
        "killing searches",
        lambda folder, part, seed: [
            *killed_where_it_writes(folder, part),
            *killed_at_random(folder, INSTANTS // part, seed),
            *others_killed_at_random(folder, OTHERS_OF_EACH // part, seed),
        ],
    ),
    "folder": (
        "killing workers on a folder",
        lambda folder, part, seed: workers_killed(folder, max(1, KILLS // part), seed),
    ),
    "engines": (
        "killing workers of engines",
        lambda folder, part, seed: engines_killed(folder, max(1, KILLS // part), seed),
    ),
    "broken": ("breaking files", lambda folder, part, _seed: broken_files(folder, EXAMPLES // part)),
    "odd": ("trying odd files", lambda folder, part, _seed: odd_files(folder, CASES // part)),
}
"""What is done, by its name: a title, and a function that gives what is wrong."""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    parser.add_argument("--only", nargs="*", choices=PARTS, help="some of the parts")
    parser.add_argument("--seed", type=int, default=0, help="of the random instants")
    chosen = parser.parse_args()
    part = 10 if chosen.quick else 1
    os.environ["COLUMNS"] = "100"
    start = time.monotonic()
    wrong = []
    with tempfile.TemporaryDirectory() as name:
        for each in chosen.only or PARTS:
            folder = Path(name) / each
            folder.mkdir()
            title, run = PARTS[each]
            say(title)
            wrong += run(folder, part, chosen.seed)
    for each in wrong:
        say(f"  WRONG: {each}")
    say(f"{'failed' if wrong else 'passed'} in {time.monotonic() - start:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
