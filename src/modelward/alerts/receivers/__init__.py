"""The kinds of receivers, one file each: a message becomes requests, replies become told or not. Pure."""
