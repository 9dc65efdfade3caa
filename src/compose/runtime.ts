// The real world handed to a handler: environment, clients, clock and randomness, made once per cold start.
import { systemClock, systemSleep } from '../platform/clock.ts'
import { systemRandom } from '../platform/random.ts'
import { type AwsClients, awsClients } from './clients.ts'
import { type Environment, readEnvironment } from './environment.ts'
import type { World } from './stores.ts'
import { createTelemetry, type Telemetry } from './telemetry.ts'

export interface Runtime {
  readonly environment: Environment
  readonly clients: AwsClients
  readonly telemetry: Telemetry
  readonly world: World
}

/** Throws MillraceError where a variable is missing. */
export function createRuntime(service: string, functionName: string): Runtime {
  const telemetry = createTelemetry(service, functionName)
  return {
    environment: readEnvironment(process.env),
    clients: awsClients(process.env, { onRetries: retries => telemetry.count('sdkRetries', retries) }),
    telemetry,
    world: { clock: systemClock, random: systemRandom, sleep: systemSleep },
  }
}
