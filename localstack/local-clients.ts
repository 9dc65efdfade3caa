// What the local cloud's own SDK clients share: its endpoint, and credentials that no emulator checks.
import { REGION } from './resource-identity.ts'

/** Emulators answer in a moment; what a retry helps against is a connection that was just closed. */
const ATTEMPTS_MAX = 3

export function localClientConfig(endpoint: string) {
  return {
    endpoint,
    region: REGION,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: ATTEMPTS_MAX,
  }
}
