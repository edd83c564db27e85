"""What the command line does, without printing: reading the state, planning ranges, executing them."""
