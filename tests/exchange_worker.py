"""A worker of a folder as a program: python exchange_worker.py FOLDER FUNCTION [COMPARE [PATIENCE [DIES]]].

With DIES it kills itself when it is about to do that: ``value`` before it writes a value, ``word`` between the value
and the word that it is there.
"""

import os
import signal
import sys
from pathlib import Path

import exchange_functions as functions

from lrtune.engines.contract import EngineError
from lrtune.engines.folder import layout
from lrtune.engines.folder.worker import FolderWorker, Joining


def dying(put):
    def kill(*_):
        os.kill(os.getpid(), signal.SIGKILL)

    return lambda path, content: (kill if path.parent.name == layout.DONE else put)(path, content)


def main(folder, name, compare="alike", patience="900", dies=""):
    if dies == "value":
        layout.put = dying(layout.put)
    if dies == "word":
        layout.put_json = dying(layout.put_json)
    opens = functions.refuse if name == "refuse" else functions.Opens(name)
    work = Joining(Path(folder), opens, getattr(functions, compare), float(patience))
    try:
        for sentence in FolderWorker(work).run():
            sys.stdout.write(sentence + "\n")
            sys.stdout.flush()
    except EngineError as error:
        sys.stdout.write(f"left: {error}\n")
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
