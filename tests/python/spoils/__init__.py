"""Ways to spoil an audited work directory, and the checks that find each."""
