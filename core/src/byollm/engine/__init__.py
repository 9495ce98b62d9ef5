"""Everything that happens in time: decisions as generators of steps, run by two drivers, one sync and one async."""
