// Reads, and never answers.
process.on('message', () => undefined)
