import { catalogHandler } from 'millrace/functions'
import pipeline from '../src/pipeline/index.ts'

export const handler = catalogHandler(pipeline)
