"""The demonstration: private servers, made-up people, and the three main jobs run on them by real workers.

Nothing of a real installation imports this package.
"""
