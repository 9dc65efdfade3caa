// Says that it once had two gigabytes.
process.once('message', () => process.send({ kind: 'fine', rssBytesMax: 2_147_483_648 }))
