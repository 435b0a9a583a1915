"""What screens, pages and lines of output show: plain values and words."""
