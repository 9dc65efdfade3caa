// The files that `model pack` is given, read into what packing takes: coefficients as R writes them, golden rows as CSV or JSON, and the
// folder that MLflow makes.
import { readFile } from 'node:fs/promises'
import { basename, isAbsolute, join, relative, resolve } from 'node:path'
import type { Coefficient } from '../model/linear-graph.ts'
import type { GivenRows } from '../model/pack.ts'
import { type MlflowModel, readMlflowModel } from '../model/pack-mlflow.ts'
import { csvRecords } from './csv.ts'
import { CommandError } from './errors.ts'

export async function readBytes(path: string, what: string): Promise<Uint8Array> {
  try {
    return await readFile(path)
  } catch (cause) {
    throw new CommandError(`${path} cannot be read`, { code: 'file-not-found', next: `Name ${what}.`, cause })
  }
}

export async function readText(path: string, what: string): Promise<string> {
  return new TextDecoder().decode(await readBytes(path, what))
}

export async function readCoefficients(path: string): Promise<Coefficient[]> {
  const [header = [], ...records] = await csvFile(path, 'a CSV file with the columns term and estimate')
  const [term, estimate] = [header.indexOf('term'), header.indexOf('estimate')]
  if (term === -1 || estimate === -1) {
    throw unreadable(
      `${basename(path)} has no columns term and estimate`,
      'Write it as docs/bring-your-model.md shows.',
    )
  }
  return records.map(record => ({ term: record[term] ?? '', estimate: numberOf(record[estimate] ?? '') ?? Number.NaN }))
}

/** CSV with a column for each input and output, or JSON: `rows`, `outputs`, `tolerance`. */
export async function readGoldenRows(path: string, inputs: ReadonlyMap<string, string>): Promise<GivenRows> {
  if (!path.endsWith('.csv')) return readGoldenJson(path)
  const [header = [], ...records] = await csvFile(path, 'a CSV or JSON file of rows')
  const rows = records.map(record =>
    Object.fromEntries(
      header.flatMap((name, index) => {
        const type = inputs.get(name)
        return type === undefined ? [] : [[name, cellOf(record[index] ?? '', type)] as const]
      }),
    ),
  )
  const outputs = header.flatMap((name, index) =>
    inputs.has(name)
      ? []
      : [[name, records.map(record => numberOf(record[index] ?? '') ?? record[index] ?? '')] as const],
  )
  return { rows, outputs: Object.fromEntries(outputs) }
}

async function readGoldenJson(path: string): Promise<GivenRows> {
  const text = await readText(path, 'a CSV or JSON file of rows')
  try {
    const { rows, outputs = {}, tolerance } = JSON.parse(text) as Partial<GivenRows>
    if (Array.isArray(rows) && rows.every(row => typeof row === 'object' && row !== null)) {
      return { rows, outputs, ...(tolerance === undefined ? {} : { tolerance }) }
    }
  } catch (cause) {
    throw unreadable(`${basename(path)} is not JSON`, 'Write it as docs/bring-your-model.md shows.', cause)
  }
  throw unreadable(`${basename(path)} has no list of rows`, 'Write it as docs/bring-your-model.md shows.')
}

export interface MlflowFolder extends MlflowModel {
  readonly bytes: Uint8Array
}

export async function readMlflow(folder: string): Promise<MlflowFolder> {
  const model = readMlflowModel(await readText(join(folder, 'MLmodel'), 'the folder that has the file MLmodel in it'))
  const path = resolve(folder, model.file)
  const within = relative(folder, path)
  if (within.startsWith('..') || isAbsolute(within)) {
    throw unreadable(`MLmodel names ${model.file}, which is not in its folder`, 'Save the model anew with mlflow.onnx.')
  }
  return { ...model, bytes: await readBytes(path, 'a folder that is whole') }
}

async function csvFile(path: string, what: string): Promise<(readonly string[])[]> {
  const text = await readText(path, what)
  const whole = (async function* chunks() {
    yield text
  })()
  const records: (readonly string[])[] = []
  for await (const record of csvRecords(whole)) records.push(record)
  return records
}

function cellOf(text: string, type: string): number | string {
  if (type === 'flag') return /^(true|1)$/i.test(text) ? 1 : text === '' || text === 'NA' ? '' : 0
  if (type === 'text') return text
  return numberOf(text) ?? ''
}

/** R writes NA where there is none. */
function numberOf(text: string): number | undefined {
  const number = text.trim() === '' ? Number.NaN : Number(text)
  return Number.isFinite(number) ? number : undefined
}

function unreadable(what: string, next: string, cause?: unknown): CommandError {
  return new CommandError(what, { code: 'file-unreadable', next, ...(cause === undefined ? {} : { cause }) })
}
