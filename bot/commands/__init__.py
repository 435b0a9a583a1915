"""A person's orders to the session of this process: proposed, confirmed, given once, followed."""
