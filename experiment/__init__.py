"""What a run needs around the lesson: options, environment checks, run folder, messages."""
