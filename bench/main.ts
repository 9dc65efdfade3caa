// `npm run bench`: every figure that the README claims, as ratios inside one run. `--json` for machines; `--only NAME` for one.
import { parseArgs } from 'node:util'
import pipeline from '../src/pipeline/index.ts'
import { compilePipeline } from '../src/predictions/compile-pipeline.ts'
import { benchCodec, codecBenchLines } from './codec.ts'
import { benchDecode } from './decode.ts'
import { flightsMix, hotMix } from './inputs.ts'
import { lateArrivalPredictor } from './predictor.ts'
import { benchRecompute } from './recompute.ts'
import { recomputeBenchLines } from './recompute-lines.ts'
import { benchServe, type ServeFigures } from './serve.ts'

interface Bench {
  readonly name: string
  readonly run: () => Promise<{ readonly figures: object; readonly lines: readonly string[] }>
}

async function recompute(mix: 'flights' | 'hot'): Promise<{ figures: object; lines: readonly string[] }> {
  const deps = { compiled: compilePipeline(pipeline), predictor: await lateArrivalPredictor() }
  const figures = await benchRecompute(mix === 'flights' ? flightsMix() : hotMix(), deps)
  return { figures, lines: recomputeBenchLines(figures) }
}

const benches: readonly Bench[] = [
  { name: 'recompute, the flights as they come', run: () => recompute('flights') },
  { name: 'recompute, 500 events of 50 users', run: () => recompute('hot') },
  {
    name: 'serve, pass-through against decode-and-serialize',
    run: async () => {
      const figures = await benchServe()
      return { figures, lines: figures.map(serveLine) }
    },
  },
  {
    name: 'decode, against bare base64 and JSON.parse',
    run: async () => {
      const figures = benchDecode()
      const { payloadBytes, decodeMicroseconds, bareMicroseconds, ratio } = figures
      const line = `${payloadBytes} bytes: ${decodeMicroseconds.toFixed(1)} µs, bare ${bareMicroseconds.toFixed(1)} µs, ${ratio.toFixed(1)} ×`
      return { figures, lines: [line] }
    },
  },
  {
    name: 'codec, levels of deflate',
    run: async () => {
      const figures = benchCodec()
      return { figures, lines: codecBenchLines(figures) }
    },
  },
]

const { values } = parseArgs({ options: { only: { type: 'string' }, json: { type: 'boolean', default: false } } })
const all: Record<string, object> = {}
for (const { name, run } of benches) {
  if (values.only !== undefined && !name.startsWith(values.only)) continue
  const { figures, lines } = await run()
  all[name] = figures
  if (!values.json) process.stdout.write(`${name}\n${lines.map(line => `  ${line}\n`).join('')}\n`)
}
if (values.json) process.stdout.write(`${JSON.stringify(all, null, 2)}\n`)

function serveLine({
  plainBytes,
  passThroughUs,
  gzipUs,
  notModifiedUs,
  decodeAndSerializeUs,
  ratio,
}: ServeFigures): string {
  const us = (value: number): string => `${value.toFixed(0)} µs`
  return (
    `${(plainBytes / 1000).toFixed(0)} KB: pass-through ${us(passThroughUs)}, gzip ${us(gzipUs)}, 304 ${us(notModifiedUs)}; ` +
    `decode and serialize ${us(decodeAndSerializeUs)}: ${ratio.toFixed(1)} ×`
  )
}
