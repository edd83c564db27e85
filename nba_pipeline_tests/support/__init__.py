"""What several test packages share: a hand-made league, poisoned sources and the folder of real seasons."""
