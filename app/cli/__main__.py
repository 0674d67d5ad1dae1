"""`python -m app.cli` is the `octant` command."""

from app.cli import main

main()
