"""Figures of people by attributes, safe to show: the one layer through which everything gets them."""
