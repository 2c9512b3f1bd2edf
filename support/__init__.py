"""What everything stands on: messages, checks, files, the session, the seam to the lesson."""
