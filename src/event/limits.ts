// What one event may weigh. Each limit is named in the refusal that it causes.

/** The limit of a Kinesis record for years. It now is 10 MiB, more than the 6 MB of a whole Lambda invocation. */
export const EVENT_BYTES_MAX = 1024 * 1024
/** Real payloads nest below 10; code that walks a payload may recurse this deep and no deeper. */
export const EVENT_DEPTH_MAX = 64
/** Text is kept in a user's item, which aims at 4 KB; a longer one belongs elsewhere. */
export const TEXT_BYTES_MAX = 1024
/** Kinesis takes partition keys of 256 characters (PutRecord API reference); in bytes, so that every store agrees. */
export const ID_BYTES_MAX = 256
