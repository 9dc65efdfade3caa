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

interface LocalOptions {
  readonly endpoint: string
  readonly region: string
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
}

/** SDK retries and our own share the function's time: a call that hangs must leave some of it. */
const REQUEST_TIMEOUT_MS = 5000
const CONNECTION_TIMEOUT_MS = 1000
const SDK_ATTEMPTS_MAX = 3

export function awsClients(variables: Readonly<Record<string, string | undefined>>): AwsClients {
  const endpoint = localEndpoint(variables)
  const options = {
    ...(endpoint === undefined ? {} : localOptions(endpoint, variables)),
    maxAttempts: SDK_ATTEMPTS_MAX,
    requestHandler: new NodeHttpHandler({
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
    }),
  }
  const dynamodb = new DynamoDBClient(options)
  const s3 = new S3Client({ ...options, forcePathStyle: endpoint !== undefined })
  const kinesis = new KinesisClient(options)
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
