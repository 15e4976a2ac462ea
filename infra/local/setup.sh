#!/bin/sh
# Makes .venv and node_modules from the lock files, once: a second run sees its stamps and needs
# neither time nor a network. Run from the repository's root; `make setup` does.
set -eu

say() { printf 'setup: %s\n' "$*"; }
refuse() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# Something called python3.13 may be a shim that does not start: only one that answers counts.
is_python_313() {
  "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null
}

find_python() {
  for candidate in python3.13 "$HOME"/.pyenv/versions/3.13*/bin/python "$(uv python find 3.13 2>/dev/null)" python3; do
    if [ -n "$candidate" ] && is_python_313 "$candidate"; then
      printf '%s\n' "$candidate"
      return
    fi
  done
  refuse 'no Python 3.13 found: install it (python.org, "uv python install 3.13" or "pyenv install 3.13") and run this again'
}

# What an environment was made from: equal text, equal environment.
stamp_of() { cat "$@" | cksum; }
is_current() { [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]; }

set_up_python() {
  if ! is_python_313 .venv/bin/python; then
    python=$(find_python)
    say "making .venv with $python"
    rm -rf .venv
    "$python" -m venv .venv
  fi
  stamp="$(.venv/bin/python -V) $(stamp_of requirements.txt requirements-dev.txt)"
  is_current .venv/.stamp "$stamp" && return
  say 'installing the Python packages of requirements-dev.txt (a minute or two)'
  .venv/bin/python -m pip install --disable-pip-version-check --requirement requirements-dev.txt
  printf '%s\n' "$stamp" > .venv/.stamp
}

set_up_node() {
  stamp=$(stamp_of package.json package-lock.json)
  is_current node_modules/.stamp "$stamp" && return
  command -v npm >/dev/null 2>&1 || refuse 'npm not found: install Node.js 20 or later and run this again'
  say 'installing Azurite and the KQL parser into node_modules (half a minute)'
  npm ci --no-fund --no-audit --loglevel=error
  printf '%s\n' "$stamp" > node_modules/.stamp
}

set_up_python
set_up_node
