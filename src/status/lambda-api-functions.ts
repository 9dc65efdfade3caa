// The deployed functions and their event source mappings, by Lambda's own API.
import {
  type EventSourceMappingConfiguration,
  GetEventSourceMappingCommand,
  GetFunctionConfigurationCommand,
  LambdaClient,
  type LambdaClientConfig,
  paginateListEventSourceMappings,
  ResourceConflictException,
  ResourceInUseException,
  ResourceNotFoundException,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda'
import type { DeployedFunctions, DeployedMapping } from './ports.ts'
import { serviceError } from './service-error.ts'

export interface LambdaFunctions extends DeployedFunctions {
  close(): void
}

export function lambdaFunctions(config: LambdaClientConfig): LambdaFunctions {
  const client = new LambdaClient(config)
  return {
    find: name => findFunction(client, name),
    mappings: name => listMappings(client, name),
    mapping: id => getMapping(client, id),
    setEnabled: (id, isEnabled) => setEnabled(client, id, isEnabled),
    close: () => client.destroy(),
  }
}

async function findFunction(client: LambdaClient, name: string): ReturnType<DeployedFunctions['find']> {
  try {
    const { LastModified } = await client.send(new GetFunctionConfigurationCommand({ FunctionName: name }))
    // Lambda writes the offset as +0000, which is not RFC 3339 and yet what Date.parse takes.
    const updatedMs = LastModified === undefined ? Number.NaN : Date.parse(LastModified)
    return { updatedMs: Number.isNaN(updatedMs) ? undefined : updatedMs }
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined
    throw serviceError(error, 'lambda:GetFunctionConfiguration', { kind: 'function', name })
  }
}

async function listMappings(client: LambdaClient, name: string): Promise<readonly DeployedMapping[]> {
  const mappings: DeployedMapping[] = []
  try {
    for await (const page of paginateListEventSourceMappings({ client }, { FunctionName: name })) {
      mappings.push(...(page.EventSourceMappings ?? []).map(toMapping))
    }
    return mappings
  } catch (error) {
    throw serviceError(error, 'lambda:ListEventSourceMappings', { kind: 'function', name })
  }
}

async function getMapping(client: LambdaClient, id: string): Promise<DeployedMapping> {
  try {
    return toMapping(await client.send(new GetEventSourceMappingCommand({ UUID: id })))
  } catch (error) {
    throw serviceError(error, 'lambda:GetEventSourceMapping', { kind: 'mapping', name: id })
  }
}

async function setEnabled(client: LambdaClient, id: string, isEnabled: boolean): Promise<'accepted' | 'in-use'> {
  try {
    await client.send(new UpdateEventSourceMappingCommand({ UUID: id, Enabled: isEnabled }))
    return 'accepted'
  } catch (error) {
    if (error instanceof ResourceInUseException || error instanceof ResourceConflictException) return 'in-use'
    throw serviceError(error, 'lambda:UpdateEventSourceMapping', { kind: 'mapping', name: id })
  }
}

function toMapping({ UUID, EventSourceArn, State, LastModified }: EventSourceMappingConfiguration): DeployedMapping {
  return { id: UUID ?? '', streamArn: EventSourceArn ?? '', state: State ?? '', changedMs: LastModified?.getTime() }
}
