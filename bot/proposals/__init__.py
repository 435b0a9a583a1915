"""What somebody who may not order anything proposes, and what a person decides about it."""
