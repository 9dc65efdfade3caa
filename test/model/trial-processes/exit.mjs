// Ends before it has read what it is asked.
process.exit(3)
