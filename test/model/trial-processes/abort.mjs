// Dies by a signal, as native code does.
process.once('message', () => process.abort())
