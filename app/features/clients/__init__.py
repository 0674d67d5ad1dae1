"""Clients, their attributes, caseloads and the roster import."""
