"""`python -m variant_publish`."""

from variant_publish.cli.main import main

main()
