"""Load on controllers: many clients that ask on time, and a report of what they were answered."""
