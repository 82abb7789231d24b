"""`python -m node`. The nursery comes first: what it imports, every node it forks carries for life, and the command
line with all its help texts is none of their business."""

import sys

arguments = sys.argv[1:]
if arguments[:1] == ["nursery"]:
    from node.nursery import main

    arguments = arguments[1:]
else:
    from node.cli.app import main

sys.exit(main(arguments))
