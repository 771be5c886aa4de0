"""The published test kit: store suite, strategies, fakes."""
