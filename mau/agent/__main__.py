"""``python -m mau.agent FD DIRECTORY``: see `mau.agent.process`. `mau unlock` starts it."""

import sys

from mau.agent.process import main

main(sys.argv[1:])
