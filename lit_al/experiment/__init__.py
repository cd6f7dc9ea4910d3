"""A run from its settings to its folder: data, journal, snapshots, session, results."""
