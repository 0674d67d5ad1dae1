"""Questionnaire definitions, assessments and their scores."""
