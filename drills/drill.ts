// What a drill is, and all that it may do to a deployment and ask of it. It meets the deployment through this alone, so a test can give it
// one in which nothing ever breaks, and see that it then does not hold.
import type { Refusal } from '../localstack/refusal.ts'
import type { Clock, Sleep } from '../src/platform/clock.ts'
import type { Ran } from './command.ts'
import type { Story } from './story.ts'

export interface Drill {
  readonly name: string
  readonly summary: string
  readonly settings?: Partial<DeploymentSettings>
  /** Throws DrillFailed where anything is not as it should be. */
  run(world: DrillWorld): Promise<void>
}

export interface DeploymentSettings {
  /** The pipeline's code is deployed anew in the middle: what was streamed, stored and archived outlasts it. */
  readonly isDeployedAnew: boolean
  /** Of the mapping of recompute; as deployed where it is undefined. */
  readonly retriesMax: number | undefined
}

/** A payload and the key that it is sent with. */
export interface Sent {
  readonly partitionKey: string
  readonly data: Uint8Array
}

export interface HttpAnswer {
  readonly status: number
  /** JSON where it is. */
  readonly body: unknown
}

export interface DrillWorld {
  readonly story: Story
  readonly clock: Clock
  readonly sleep: Sleep
  /** The deployment's pipeline. */
  readonly pipeline: string
  /** `millrace WORDS`, in the folder of the pipeline. */
  millrace(words: readonly string[]): Promise<Ran>
  /** What the runbook says, for the verbs. */
  readonly runbook: string
  /** Into the stream, past the checks of POST /events, as an upstream with a producer of its own does. */
  send(events: readonly Sent[]): Promise<void>
  /** Until all that was sent is delivered. */
  settle(): Promise<void>
  get(path: string): Promise<HttpAnswer>
  /** Deploys the pipeline with its events.ts edited; without an edit, as it is in the repo. */
  deploy(edit?: (eventsSource: string) => string): Promise<void>
  /** From now on every call of the users table gets this answer; undefined: none does any more. */
  refuseUsersTable(refusal: Refusal | undefined): void
  /** One bit of the stored state of a user is turned over, past Millrace. */
  damageItem(userId: string): Promise<void>
  deleteItems(userIds: readonly string[]): Promise<void>
  /** The sum of a metric of Millrace over the last minutes, by these dimensions. */
  metricSum(name: string, dimensions: Readonly<Record<string, string>>): Promise<number>
  /** A file for a command to read; resolves with its path. */
  writeFile(name: string, content: Uint8Array): Promise<string>
  /** Makes the failure; left out where the drill is run to see that it notices. */
  breakIt(what: string, work: () => Promise<void> | void): Promise<void>
}
