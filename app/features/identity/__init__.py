"""Users, sign-in, sessions and single-use links; knows no organization's data."""
