"""What takes long: kills at random moments, and what a node bears while a good client reads: sessions gone wrong,
connections nobody closes, idle and slow clients. `make soak`; CI runs a little of each."""
