"""How the live view writes things: figures, glyphs and the lines of the page. No engine, no terminal."""
