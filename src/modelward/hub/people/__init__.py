"""What the hub answers to people: who they are, what they may see, and the pages that they read."""
