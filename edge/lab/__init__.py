"""Offline accuracy work on picture files, by the chain of a door. In lab builds and development installs only."""
