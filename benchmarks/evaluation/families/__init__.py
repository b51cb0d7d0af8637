"""The suites: name -> the distinct programs that a queue is drawn from."""
