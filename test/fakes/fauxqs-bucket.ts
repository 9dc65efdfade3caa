// S3's emulator inside the test, on a port of its own, with one bucket and a client for it.
import { S3Client } from '@aws-sdk/client-s3'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { startFauxqs } from 'fauxqs'

export interface FauxqsBucket {
  readonly client: S3Client
  readonly bucket: string
  readonly endpoint: string
  readonly stop: () => Promise<void>
}

export async function startFauxqsBucket(bucket: string): Promise<FauxqsBucket> {
  const server = await startFauxqs({ port: 0, logger: false })
  server.createBucket(bucket)
  const endpoint = `http://127.0.0.1:${server.port}`
  const client = new S3Client({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    requestHandler: new NodeHttpHandler(),
  })
  return {
    client,
    bucket,
    endpoint,
    stop: async () => {
      client.destroy()
      await server.stop()
    },
  }
}
