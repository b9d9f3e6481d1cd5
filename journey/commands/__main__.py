"""`python -m journey.commands`, where the command itself is not on the path."""

from journey.commands.main import main

if __name__ == "__main__":
    main()
