"""What becomes of graduates: recorded, brought in by a file or by themselves, and counted by the standard."""
