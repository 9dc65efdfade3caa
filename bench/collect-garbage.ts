// Loaded into the functions of the load before their own code: collects what is garbage every few seconds, so that memory that grows is
// memory that is held. By itself V8 lets garbage lie until half of what a function has is full, which takes longer than the run.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const EVERY_MS = 5_000

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
setInterval(collect, EVERY_MS).unref()
