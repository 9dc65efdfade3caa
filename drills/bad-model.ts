// A model is published that its papers let through and that refuses every user. Features are stored and served all the same; the version
// before is made current again by one command.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { strFromU8, strToU8, unzipSync, zipSync } from 'fflate'
import type { Drill, DrillWorld } from './drill.ts'
import { act, proveCounts, proveVerified, seeHealth, seeTrouble } from './steps.ts'
import { arrivals, type Traffic, userOf } from './traffic.ts'

const ARTIFACT_FILE = join(import.meta.dirname, '..', 'models', 'late-arrival', 'late-arrival.zip')
const MODEL = 'late-arrival'
const BATCH = 60
const TRICKLE = 20

export const badModel: Drill = {
  name: 'bad-model',
  summary: 'A model version refuses every user: the one before is made current again by one command.',
  async run(world) {
    const { story } = world
    const traffic = arrivals(world.clock)
    const artifact = readFileSync(ARTIFACT_FILE)
    await publish(world, { file: 'good.zip', content: artifact, why: 'the first version' }, 0)
    await world.send(traffic.next(BATCH))
    await world.settle()
    await seeHealth(world, 'all is well before')
    story.check('the model answers', (await predictionOf(world)).status === 'ok')

    const trickle = trickleOf(world, traffic)
    await world.breakIt(
      'A new version is published. Its papers say that it answers in percent, from 1 to 100; it does not.',
      () => publish(world, { file: 'percent.zip', content: inPercent(artifact), why: 'answers in percent' }, 0),
    )
    await trickle()

    story.chapter('What you see')
    const what = {
      line: 'predictions',
      text: /^[1-9].* refused/,
      next: /table rollback models\.late-arrival production/,
    }
    await seeTrouble(world, what, { between: trickle })
    const refused = await predictionOf(world)
    story.check(
      'GETs say that the model refuses, and give no wrong number',
      refused.status === 'refused' && refused.value === undefined,
    )
    await proveCounts(world, traffic)

    story.chapter('What you do')
    const history = await act(world, 'millrace table history models.NAME production', { values: { NAME: MODEL } })
    const [, before = ''] = history.stdout.split('\n').map(line => /\d{14}-[a-z0-9]{8}/.exec(line)?.[0] ?? '')
    await act(world, 'millrace table rollback models.NAME production BATCH --why TEXT', {
      values: { NAME: MODEL, BATCH: before, TEXT: 'it refuses everybody' },
    })

    story.chapter('What proves it')
    await seeHealth(world, 'the status is healthy again, in the next minute that has predictions', { between: trickle })
    const { status, batchId } = await predictionOf(world)
    story.check('the version before answers', status === 'ok' && batchId === before, `${status} of ${String(batchId)}`)
    await proveCounts(world, traffic)
    await proveVerified(world)
  },
}

interface Artifact {
  readonly file: string
  readonly content: Uint8Array
  readonly why: string
}

async function publish(world: DrillWorld, { file, content, why }: Artifact, exitCode: number): Promise<void> {
  const path = await world.writeFile(file, content)
  const ran = await world.millrace(['model', 'publish', path, '--to', 'production', '--why', why])
  world.story.typed(`millrace model publish ${file} --to production --why '${why}'`, ran.exitCode, [
    ran.stdout.split('\n')[0] ?? '',
  ])
  world.story.check(`publishing ends with ${exitCode}`, ran.exitCode === exitCode, ran.stderr)
}

/** The same model, under papers that no check before production can find wrong: they are about answers, and no golden row gives one. */
function inPercent(artifact: Uint8Array): Uint8Array {
  const { 'golden.json': _golden, ...files } = unzipSync(artifact)
  const papers = JSON.parse(strFromU8(files['manifest.json'] ?? new Uint8Array())) as {
    readonly outputs: readonly object[]
    readonly files: Readonly<Record<string, object>>
  }
  const { 'golden.json': _described, ...described } = papers.files
  const outputs = papers.outputs.map(output => ({ ...output, range: [1, 100] }))
  return zipSync({ ...files, 'manifest.json': strToU8(JSON.stringify({ ...papers, outputs, files: described })) })
}

function trickleOf(world: DrillWorld, traffic: Traffic): () => Promise<void> {
  return async () => {
    await world.send(traffic.next(TRICKLE))
    await world.settle()
  }
}

interface Prediction {
  readonly status?: string
  readonly batchId?: string
  readonly value?: object
}

async function predictionOf(world: DrillWorld): Promise<Prediction> {
  const { body } = await world.get(`/users/${userOf(0)}`)
  const { predictions } = body as { readonly predictions?: { readonly models?: Readonly<Record<string, Prediction>> } }
  return predictions?.models?.[MODEL] ?? {}
}
