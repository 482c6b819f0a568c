"""The first signal ends a command in good order and soon, the second at once, wherever it is."""

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from patience import PATIENCE

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")

START = f"""
    import hashlib, os, signal, sys, threading, time
    from pathlib import Path
    from lrtune.cli import exits, signals

    def tell_when_busy():
        clock = time.pthread_getcpuclockid(threading.main_thread().ident)
        threading.Thread(target=tell, args=(clock, time.clock_gettime(clock) + 0.1)).start()

    def tell(clock, end):
        while time.clock_gettime(clock) < end:
            time.sleep(0.01)
        print("ready", flush=True)

    FOREVER = {PATIENCE}
    signals.PATIENCE = 0.3
    signals.heed_signals()
"""
IN_C = "hashlib.pbkdf2_hmac('sha256', b'', b'', 2**31 - 1)"
"""Runs for many minutes in C, where no handler of Python's gets a word in, and where all of its thread's time goes."""


def child(code, **options):
    """Start a process that says when it is ready to be stopped."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    words = [sys.executable, "-c", textwrap.dedent(START) + textwrap.dedent(code)]
    process = subprocess.Popen(words, **pipes, **options)
    if process.stdout.readline() != "ready\n":
        process.kill()
        pytest.fail(process.communicate()[1])
    return process


def ended(process, *numbers):
    for number in numbers:
        process.send_signal(number)
    _, err = process.communicate(timeout=PATIENCE)
    return process.returncode, err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_library_that_is_busy_in_c_holds_nobody_up(number, code):
    process = child(f"""
        with exits.handled(), signals.resumable(Path("run")):
            tell_when_busy()
            {IN_C}
    """)
    note = "everything finished so far is kept in run; to go on, run the same command again"
    assert ended(process, number) == (code, f"lrtune: stopped at once; {note}\n")


def test_a_stop_that_was_swallowed_is_not_forgotten():
    process = child("""
        while True:
            try:
                print("ready", flush=True)
                time.sleep(FOREVER)
            except KeyboardInterrupt:
                pass
    """)
    assert ended(process, signal.SIGINT) == (130, "lrtune: stopped at once\n")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stop_that_a_library_turns_into_another_error_is_no_defect(number, code):
    process = child("""
        import typer

        signals.PATIENCE = FOREVER
        try:
            with exits.handled(), signals.resumable(Path("run")):
                try:
                    print("ready", flush=True)
                    time.sleep(FOREVER)
                except KeyboardInterrupt:
                    raise ImportError("numpy._core.multiarray failed to import") from None
        except typer.Exit as left:
            os._exit(left.exit_code)
    """)
    note = "everything finished so far is kept in run; to go on, run the same command again"
    assert ended(process, number) == (code, f"lrtune: stopped; {note}\n")


def test_the_second_signal_ends_at_once():
    process = child("""
        signals.PATIENCE = FOREVER
        try:
            print("ready", flush=True)
            time.sleep(FOREVER)
        except KeyboardInterrupt:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(FOREVER)
    """)
    code, err = ended(process, signal.SIGINT)
    assert code in (130, 143)  # the handler, or the thread that watches, whoever is first
    assert err == "lrtune: stopped at once\n"


def test_a_signal_that_the_caller_ignores_stays_ignored():
    process = child(
        """
        print("ready", flush=True)
        sys.stdin.readline()
        print("went on", flush=True)
        """,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )
    process.send_signal(signal.SIGINT)
    out, err = process.communicate("\n", timeout=PATIENCE)
    assert (process.returncode, out, err) == (0, "went on\n", "")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("place", ["typer.main.get_command", "typer.core.TyperGroup.make_context"])
def test_a_signal_before_the_command_has_begun(number, code, place):
    process = child(f"""
        import typer.core, typer.main
        from unittest import mock
        from lrtune import cli

        def wait(*_, **__):
            print("ready", flush=True)
            time.sleep(FOREVER)

        signals.PATIENCE = FOREVER
        sys.argv = ["lrtune", "list"]
        with mock.patch({place!r}, wait):
            cli.main()
    """)
    found, err = ended(process, number)
    assert found == code
    assert err in ("lrtune: stopped\n", "lrtune: stopped at once\n")


@pytest.mark.skipif(sys.platform != "linux", reason="what a process leaves is looked for in /dev/shm")
def test_a_hard_end_with_workers_leaves_neither_words_nor_semaphores():
    process = child("""
        from lrtune.engines.local import Loky

        if __name__ == "__main__":
            pool = Loky(pow, 2, 2)
            pool.submit(0, 3)
            pool.next_done()
            while True:
                try:
                    print("ready", os.getpid(), sep="\\n", flush=True)
                    time.sleep(FOREVER)
                except KeyboardInterrupt:
                    pass
    """)
    number = int(process.stdout.readline())
    assert ended(process, signal.SIGINT) == (130, "lrtune: stopped at once\n")  # read until the last process is gone
    assert not list(Path("/dev/shm").glob(f"*loky-{number}-*"))
