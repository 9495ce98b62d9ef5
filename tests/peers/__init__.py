"""The 13 wire scenarios on other libraries, each in an environment of its own: `make peers`."""
