"""What an operator uses: the `pyflow` command. The composition root: it alone knows all parts."""
