// Whether a column of a Parquet file is of the type that the table says, by its physical type, its annotation and its levels: what other
// readers make of it follows from these, and not from its values.
import type { SchemaElement, SchemaTree } from 'hyparquet'
import type { Column, ScalarType } from './columns.ts'
import { physicalType, shapeOf } from './parquet-types.ts'

/** Annotations by type, old names and new ones; '' is none. */
const ANNOTATIONS: Readonly<Record<ScalarType, readonly string[]>> = {
  string: ['', 'UTF8', 'STRING', 'ENUM'],
  json: ['', 'UTF8', 'STRING', 'JSON'],
  int64: ['', 'INT_64', 'INTEGER'],
  timestamp: ['TIMESTAMP_MILLIS', 'TIMESTAMP_MICROS', 'TIMESTAMP'],
  double: [''],
  boolean: [''],
}

/** Undefined where the column is what it should be. */
export function shapeProblem({ name, type }: Column, root: SchemaTree): string | undefined {
  const named = root.children.filter(({ element }) => element.name === name)
  const [tree] = named
  if (tree === undefined) return `the column "${name}" is not in it`
  if (named.length > 1) return `the column "${name}" is in it ${named.length} times`
  const { kind, of } = shapeOf(type)
  const leaf = kind === 'scalar' ? tree : kind === 'list' ? listLeaf(tree) : mapLeaf(tree)
  if (leaf !== undefined && isLeafOf(leaf, of)) return undefined
  return `the column "${name}" is ${leaf === undefined ? 'of another shape' : describe(leaf)}, which is not ${type}`
}

/** The three levels of Parquet's LogicalTypes.md; undefined: it is no list. */
function listLeaf(tree: SchemaTree): SchemaTree | undefined {
  const repeated = repeatedIn(tree, 'LIST')
  return repeated?.children.length === 1 ? repeated.children[0] : undefined
}

function mapLeaf(tree: SchemaTree): SchemaTree | undefined {
  const [key, value, ...others] = repeatedIn(tree, 'MAP')?.children ?? []
  const isMap = key?.element.name === 'key' && value?.element.name === 'value' && others.length === 0
  return isMap && isLeafOf(key, 'string') ? value : undefined
}

function repeatedIn({ element, children }: SchemaTree, annotation: string): SchemaTree | undefined {
  const [only, ...others] = children
  const isGroup = element.converted_type === annotation && element.repetition_type !== 'REPEATED'
  return isGroup && others.length === 0 && only?.element.repetition_type === 'REPEATED' ? only : undefined
}

function isLeafOf({ element, children }: SchemaTree, type: ScalarType): boolean {
  if (children.length > 0 || element.repetition_type === 'REPEATED' || element.type !== physicalType(type)) return false
  return annotationsOf(element).every(mark => ANNOTATIONS[type].includes(mark)) && !isUnsigned(element)
}

/** Both are there in most files. */
function annotationsOf({ converted_type, logical_type }: SchemaElement): readonly string[] {
  const marks = [converted_type, logical_type?.type].filter(mark => mark !== undefined)
  return marks.length === 0 ? [''] : marks
}

function isUnsigned({ logical_type }: SchemaElement): boolean {
  return logical_type?.type === 'INTEGER' && (!logical_type.isSigned || logical_type.bitWidth !== 64)
}

function describe({ element, children }: SchemaTree): string {
  const marks = annotationsOf(element).filter(mark => mark !== '')
  const what = children.length > 0 ? 'a group' : (element.type ?? 'of no type')
  const list = element.repetition_type === 'REPEATED' ? 'repeated ' : ''
  return `${list}${what}${marks.length === 0 ? '' : ` (${[...new Set(marks)].join(', ')})`}`
}
