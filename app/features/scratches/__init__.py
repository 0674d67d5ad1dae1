"""What-if: copies of a plan to try changes on. Nothing here can write to a plan."""
