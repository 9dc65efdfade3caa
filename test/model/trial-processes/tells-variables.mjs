// Answers with the names of the variables that it was given.
process.once('message', () => {
  process.send({ kind: 'refused', code: 'told', message: Object.keys(process.env).join(' '), isOfMemory: false })
})
