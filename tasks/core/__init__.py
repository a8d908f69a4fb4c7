"""What several stages share: words, errors, programs, time."""
