"""Triggers beside the calendar: what opens a review of a plan, which plans rest on it, and when."""
