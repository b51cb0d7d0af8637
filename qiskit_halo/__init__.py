"""Share one quantum computer between many programs."""
