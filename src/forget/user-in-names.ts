// A user's id as a value in names: of partitions, and of objects that are called by them. What history names cannot be called otherwise, so it
// is left for people; and no receipt says the id.
import type { PartitionRef } from '../catalog/names.ts'

export interface UserInNames {
  /** Whether a value in the partition's name is the user's id. */
  names(ref: PartitionRef): boolean
  /** The path without the id. */
  masked(path: string): string
}

/** Their values are numbers, and nobody's ids. */
const TIME_KEYS = ['year', 'quarter', 'month', 'week', 'day', 'hour', 'minute', 'date', 'dt', 'ds']
const MASK = '<user>'

/** `without`: keys of partitions, and tables as `db.table`, whose values are no users. */
export function userInNames(userId: string, without: readonly string[]): UserInNames {
  const keysWithout = new Set([...TIME_KEYS, ...without])

  const isUser = (segment: string): boolean => {
    const [key, value] = keyAndValue(segment)
    return value === userId && !keysWithout.has(key)
  }

  const maskedSegment = (segment: string): string => {
    if (isUser(segment)) return segment.slice(0, segment.length - userId.length) + MASK
    return segment.startsWith(`${userId}.`) ? MASK + segment.slice(userId.length) : segment
  }

  return {
    names: ({ db, table, partition }) => !keysWithout.has(`${db}.${table}`) && partition.split('/').some(isUser),
    masked: path => path.split('/').map(maskedSegment).join('/'),
  }
}

function keyAndValue(segment: string): readonly [key: string, value: string] {
  const equals = segment.indexOf('=')
  return equals < 0 ? ['', segment] : [segment.slice(0, equals), segment.slice(equals + 1)]
}
