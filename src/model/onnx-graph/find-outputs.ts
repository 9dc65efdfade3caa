// Which of a graph's outputs is a label, which are probabilities and of which classes, which is a number. Classes stand at the classifier
// or at the ZipMap that was taken out; where neither says them, columns are counted.
import { attributeList, type Graph, type GraphNode, type GraphValue } from './graph.ts'
import type { Zipped } from './zip-map.ts'

export interface FoundOutput {
  readonly tensor: string
  readonly kind: 'number' | 'label' | 'scores'
  /** Of scores, in the order of columns; of a label, where they are known. */
  readonly classes?: readonly string[]
  /** The numbers are shares of one: from 0 to 1. */
  readonly isProbability: boolean
}

/** ONNX's numbers of element types: whole numbers and texts. */
const WHOLE: ReadonlySet<number> = new Set([6, 7])
const TEXT = 8
const FLAG = 9

const CLASS_LISTS = ['classlabels_strings', 'classlabels_int64s', 'classlabels_ints'] as const
/** A classifier is mostly one or two steps before what comes out. */
const STEPS_MAX = 32

export function findOutputs(graph: Graph, zipped: ReadonlyMap<string, Zipped>): readonly FoundOutput[] {
  const makers = new Map(graph.nodes.flatMap(node => node.outputs.map(output => [output, node] as const)))
  const hasLabel = graph.outputs.some(isLabel)
  const listed = [...zipped.values()].find(({ classes }) => classes !== undefined)?.classes
  return graph.outputs.map((output): FoundOutput => {
    const { name: tensor, shape } = output
    const zip = zipped.get(tensor)
    const known = zip?.classes ?? classesBefore(tensor, makers)
    if (isLabel(output)) {
      const classes = known ?? listed
      return { tensor, kind: 'label', ...(classes === undefined ? {} : { classes }), isProbability: false }
    }
    const width = shape === undefined || shape.length < 2 ? undefined : shape[1]
    const isProbability = /prob/i.test(tensor) || /prob/i.test(zip?.output ?? '')
    // A column for each class where the file says nothing else; and a column alone is a number, whatever classes there are.
    const classes = known !== undefined && (width ?? known.length) === known.length ? known : counted(width ?? 1)
    const isColumn = shape?.length === 1 || classes.length === 1
    if (isColumn) return { tensor, kind: 'number', isProbability: isProbability && hasLabel }
    return { tensor, kind: 'scores', classes, isProbability }
  })
}

function isLabel({ element }: GraphValue): boolean {
  return WHOLE.has(element) || element === TEXT || element === FLAG
}

function counted(width: number): readonly string[] {
  return Array.from({ length: width }, (_, index) => String(index))
}

/** Of the classifier that a tensor comes from, going back over the first input of each node. */
function classesBefore(tensor: string, makers: ReadonlyMap<string, GraphNode>): readonly string[] | undefined {
  let at: string | undefined = tensor
  for (let step = 0; step < STEPS_MAX && at !== undefined; step++) {
    const node = makers.get(at)
    if (node === undefined) return undefined
    const classes = attributeList(node, ...CLASS_LISTS)
    if (classes !== undefined) return classes
    at = node.inputs[0]
  }
  return undefined
}
