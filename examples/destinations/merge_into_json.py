#!/usr/bin/env python3
"""Puts the fields of a secret beside the others of a JSON file: a stand-in for any store that has a client for Python.

    exec:?can=verify /PATH/merge_into_json.py /PATH/OF/THE/FILE

The last argument says what to do, and standard input has one JSON document. Exit code 10 means: it is not so.
"""

import json
import os
import sys

place, action = sys.argv[1:]
asked = json.load(sys.stdin)
if asked["protocol"] != 1:
    sys.exit("this program knows protocol 1 alone")

try:
    with open(place, encoding="utf-8") as file:
        held = json.load(file)
except FileNotFoundError:
    held = {}

if action == "prepare":
    if not isinstance(held, dict) or not os.access(os.path.dirname(place), os.W_OK):
        sys.exit(f"{place} is no JSON object, or its folder cannot be written")
elif action == "deliver":
    new = f"{place}.new"
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump({**held, **asked["fields"]}, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, place)
elif action == "verify":
    sys.exit(0 if asked["fields"].items() <= held.items() else 10)
else:
    sys.exit(64)
