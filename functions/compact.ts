import { compactHandler } from 'millrace/functions'
import pipeline from '../src/pipeline/index.ts'

export const handler = compactHandler(pipeline)
