"""Phase 4 on the real seasons: its values, its population, its history, its leaks; and the canary command."""
