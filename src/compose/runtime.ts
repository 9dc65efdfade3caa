// The real world handed to a handler: environment, clients, clock and randomness, made once per cold start.
import { type Clock, type Sleep, systemClock, systemSleep } from '../platform/clock.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import { type Random, systemRandom } from '../platform/random.ts'
import { s3ObjectStore } from '../platform/s3-object-store.ts'
import { type AwsClients, awsClients } from './clients.ts'
import { type Environment, readEnvironment } from './environment.ts'
import { createTelemetry, type Telemetry } from './telemetry.ts'

export interface Runtime {
  readonly environment: Environment
  readonly clients: AwsClients
  readonly telemetry: Telemetry
  readonly clock: Clock
  readonly random: Random
  readonly sleep: Sleep
  readonly archive: ObjectStore
}

/** Throws MillraceError where a variable is missing. */
export function createRuntime(service: string, functionName: string): Runtime {
  const environment = readEnvironment(process.env)
  const clients = awsClients(process.env)
  const world = { clock: systemClock, random: systemRandom, sleep: systemSleep }
  return {
    environment,
    clients,
    telemetry: createTelemetry(service, functionName),
    ...world,
    archive: s3ObjectStore({ client: clients.s3, bucket: environment.archiveBucket, ...world }),
  }
}
