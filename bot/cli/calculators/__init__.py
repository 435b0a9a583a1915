"""The verbs of `ringfence calc`, what they are told, and how they answer."""
