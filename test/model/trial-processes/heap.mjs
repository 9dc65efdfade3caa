// Keeps what it makes, until there is no heap left.
const kept = []
process.once('message', () => {
  for (;;) kept.push(Array.from({ length: 10_000 }, (_, index) => ({ index })))
})
