"""Kills real processes at random points of the three main jobs, and counts what was lost or doubled."""
