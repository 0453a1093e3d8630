"""The command line, one module for each user: who installs, who runs, who watches, who submits."""
