"""The long figures, at full size or a share of it: `make soak SCALE=0.05`."""
