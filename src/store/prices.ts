// What one event costs at the database, in dollars. Prices are us-east-1, on demand, standard table class ("Amazon DynamoDB pricing",
// in force since 1 November 2024); other regions are dearer, provisioned capacity is cheaper.
import { readUnits, writeUnits } from './item-size.ts'

export const WRITE_UNIT_DOLLARS_PER_MILLION = 0.625
export const READ_UNIT_DOLLARS_PER_MILLION = 0.125

/** One strongly consistent read and one write an event: the most, as events of one user that come in one batch share both. */
export function dollarsPerMillionEvents(itemBytes: number): number {
  const dollars =
    writeUnits(itemBytes) * WRITE_UNIT_DOLLARS_PER_MILLION + readUnits(itemBytes) * READ_UNIT_DOLLARS_PER_MILLION
  return Math.round(dollars * 1000) / 1000
}
