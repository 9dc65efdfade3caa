// What the goldens of every release are called by, so that readers find them.

/** The name of the pipeline. */
export const DB = 'shop'
export const STAGE = 'prod'
export const TRAINING_NAME = 'churn'
export const START_MS = Date.UTC(2026, 0, 2, 12)
export const SNAPSHOT_MS = Date.UTC(2026, 2, 1, 2)
