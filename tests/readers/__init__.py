"""The lane of the trainers' own libraries: `make readers`."""
