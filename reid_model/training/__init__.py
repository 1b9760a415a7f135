"""Training: losses, the schedule, weight averaging, the loop, and what it writes."""
