// What 'millrace/functions' exports: a handler for each Lambda function, with its real adapters.
export { archiveHandler } from './archive-handler.ts'
export { catalogHandler } from './catalog-handler.ts'
export { compactHandler } from './compact-handler.ts'
export { ingestHandler } from './ingest-handler.ts'
export { recomputeHandler } from './recompute-handler.ts'
export { serveHandler } from './serve-handler.ts'
export { snapshotHandler } from './snapshot-handler.ts'
