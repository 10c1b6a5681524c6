"""The command line: `python -m llamora.client`, or `python client.zip`."""

import sys

from llamora.client.commands.runner import run

if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
