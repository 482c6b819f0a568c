"""What only real processes show: closed pipes, signals, full disks, and standard output that is no terminal."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from patience import PATIENCE, wait_until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and devices of POSIX")

LONG = ("search", "blobs.yaml", "--trials", "100000", "--output", "out")


def wait_for_a_result(process, folder):
    """Wait until the search has recorded something beside its proposals."""
    recorded = folder / "out" / "out_of_fold.bin"
    wait_until(lambda: recorded.exists() or process.poll() is not None)
    assert process.poll() is None, process.communicate()


@pytest.mark.parametrize(
    ("number", "code", "workers"),
    [(signal.SIGINT, 130, "1"), (signal.SIGTERM, 143, "2")],
)
def test_a_stopped_search_keeps_what_it_has_and_goes_on(command, folder, number, code, workers):
    process = command(*LONG, "--workers", workers, patient=True)
    wait_for_a_result(process, folder)
    process.send_signal(number)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == code, err
    assert out == ""
    assert err.splitlines()[-1] == (
        "lrtune: stopped; everything finished so far is kept in out; to go on, run the same command again"
    )
    assert "Traceback" not in err
    again = command(*LONG[:3], "40", *LONG[4:], "--json", "--quiet")
    out, err = again.communicate(timeout=PATIENCE)
    assert again.returncode == 0, err
    assert json.loads(out)["trials"]["total"] >= 32


def test_a_reader_that_goes_away_is_no_trouble(command):
    read, write = os.pipe()
    os.close(read)
    process = command("schema", stdout=write)
    os.close(write)
    _, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (141, "")


def test_a_full_device_is_a_sentence(command):
    with Path("/dev/full").open("w") as full:
        process = command("schema", stdout=full)
        _, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (2, "lrtune: No space left on device\n")


def test_a_folder_that_cannot_be_made_is_a_sentence(command, folder):
    (folder / "file").write_text("")
    process = command("search", "blobs.yaml", "--output", "file/out")
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out) == (2, "")
    assert err.startswith("lrtune: file/out: cannot be created")


def test_a_pipe_gets_no_control_characters_and_an_old_one_question_marks(command):
    old = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    process = command("search", "blobs.yaml", stderr=subprocess.STDOUT, env=old)
    out, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, out
    assert " of 6 trials ? best accuracy" in out
    assert not {each for each in out if ord(each) < 32} - {"\n"}
