// The AWS clients of a process, made once. Region, credentials and AWS_ENDPOINT_URL come from the environment, as the SDK reads
// them; one keep-alive agent each, over HTTP/1.1, which emulators need and DynamoDB's and Kinesis' own endpoints speak as well.
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { KinesisClient } from '@aws-sdk/client-kinesis'
import { S3Client } from '@aws-sdk/client-s3'
import { NodeHttpHandler } from '@smithy/node-http-handler'

export interface AwsClients {
  readonly dynamodb: DynamoDBClient
  readonly s3: S3Client
  readonly kinesis: KinesisClient
  destroy(): void
}

export interface ClientsOptions {
  /** Told of each call that the SDK made more than once, throttles among them: how many times more. */
  readonly onRetries?: (retries: number) => void
  /** Until the headers of an answer, of every service; each has its own unless given. */
  readonly requestTimeoutMs?: number
}

interface LocalOptions {
  readonly endpoint: string
  readonly region: string
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
}

/** Until the headers of an answer: SDK retries and our own share the function's time, and a call that hangs must leave some of it. */
const REQUEST_TIMEOUT_MS = 5000
/** PutRecords takes up to 10 MB from wherever a producer is; three tries fit into the 28 s of ingest. */
const STREAM_REQUEST_TIMEOUT_MS = 8000
/** A part of tens of MB, from a laptop too. */
const OBJECT_REQUEST_TIMEOUT_MS = 30_000
const CONNECTION_TIMEOUT_MS = 1000
const SDK_ATTEMPTS_MAX = 3

export function awsClients(
  variables: Readonly<Record<string, string | undefined>>,
  { onRetries, requestTimeoutMs }: ClientsOptions = {},
): AwsClients {
  const endpoint = localEndpoint(variables)
  const options = (timeoutMs: number) => clientOptions(variables, requestTimeoutMs ?? timeoutMs)
  const dynamodb = new DynamoDBClient(options(REQUEST_TIMEOUT_MS))
  const s3 = new S3Client({ ...options(OBJECT_REQUEST_TIMEOUT_MS), forcePathStyle: endpoint !== undefined })
  const kinesis = new KinesisClient(options(STREAM_REQUEST_TIMEOUT_MS))
  if (onRetries !== undefined) {
    const outermost = { step: 'initialize', priority: 'high' } as const
    dynamodb.middlewareStack.add(next => args => tellRetries(next(args), onRetries), outermost)
    s3.middlewareStack.add(next => args => tellRetries(next(args), onRetries), outermost)
    kinesis.middlewareStack.add(next => args => tellRetries(next(args), onRetries), outermost)
  }
  return {
    dynamodb,
    s3,
    kinesis,
    destroy: () => {
      dynamodb.destroy()
      s3.destroy()
      kinesis.destroy()
    },
  }
}

/** What every client of a process has: where the service is, how often it is asked, and for how long. */
export function clientOptions(
  variables: Readonly<Record<string, string | undefined>>,
  requestTimeoutMs: number = REQUEST_TIMEOUT_MS,
) {
  const endpoint = localEndpoint(variables)
  return {
    ...(endpoint === undefined ? {} : localOptions(endpoint, variables)),
    maxAttempts: SDK_ATTEMPTS_MAX,
    requestHandler: new NodeHttpHandler({
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: requestTimeoutMs,
      // Without it a request that is out of time is a warning, and goes on.
      throwOnRequestTimeout: true,
    }),
  }
}

/** As the SDK's answers and errors carry it. */
interface WithAttempts {
  readonly $metadata?: { readonly attempts?: number | undefined } | undefined
}

async function tellRetries<T extends { readonly output: WithAttempts }>(
  call: Promise<T>,
  onRetries: (retries: number) => void,
): Promise<T> {
  const tell = ({ $metadata }: WithAttempts): void => {
    const retries = ($metadata?.attempts ?? 1) - 1
    if (retries > 0) onRetries(retries)
  }
  try {
    const result = await call
    tell(result.output)
    return result
  } catch (error) {
    if (error instanceof Error) tell(error as WithAttempts)
    throw error
  }
}

/** AWS_ENDPOINT_URL, where another cloud than AWS is meant. */
export function localEndpoint(variables: Readonly<Record<string, string | undefined>>): string | undefined {
  const endpoint = variables['AWS_ENDPOINT_URL']
  return endpoint === '' ? undefined : endpoint
}

/** The local cloud asks for some region and some credentials, and for no particular ones. */
function localOptions(endpoint: string, variables: Readonly<Record<string, string | undefined>>): LocalOptions {
  const accessKeyId = variables['AWS_ACCESS_KEY_ID'] ?? 'local'
  const secretAccessKey = variables['AWS_SECRET_ACCESS_KEY'] ?? 'local'
  return {
    endpoint,
    region: variables['AWS_REGION'] ?? variables['AWS_DEFAULT_REGION'] ?? 'us-east-1',
    credentials: { accessKeyId, secretAccessKey },
  }
}
