"""`python -m bot` is `ringfence`."""

from bot.cli.main import main

if __name__ == "__main__":
    main()
