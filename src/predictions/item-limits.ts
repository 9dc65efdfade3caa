// How big a definition may make a user's item. The definition says it, the store holds it.

/** Unless raised: 64 write units a write. */
export const ITEM_BYTES_MAX = 64 * 1024
/** The most that it may be raised to: DynamoDB's 400 KB, less what its rule for numbers may be off by and attributes of others. */
export const ITEM_BYTES_RAISED_MAX = 384 * 1024
/** Below this not even one feature is sure to fit beside an event type's recent ids and the marks of 16 shards. */
export const ITEM_BYTES_LEAST = 4 * 1024
