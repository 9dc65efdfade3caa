import { defineConfig } from 'vitest/config'

export default defineConfig({
  resolve: { conditions: ['millrace-source', 'node'] },
  ssr: { resolve: { conditions: ['millrace-source', 'node'] } },
  test: {
    include: ['test/**/*.test.ts'],
    // Two cores: one worker a core; emulators run inside the worker that needs them.
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 60_000,
    reporters: ['default'],
  },
})
