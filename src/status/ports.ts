// What operating a deployment asks of AWS, as ports: its functions and their event source mappings, and what was measured. Everything
// throws OperationError.

export interface DeployedFunctions {
  /** Undefined: nothing of this name is deployed. */
  find(functionName: string): Promise<DeployedFunction | undefined>
  /** Of the function, whatever they read; none where it has none. */
  mappings(functionName: string): Promise<readonly DeployedMapping[]>
  mapping(id: string): Promise<DeployedMapping>
  /** `in-use`: an earlier change of it is not done yet. */
  setEnabled(id: string, isEnabled: boolean): Promise<'accepted' | 'in-use'>
}

export interface DeployedFunction {
  /** When code or configuration were last changed. */
  readonly updatedMs: number | undefined
}

export interface DeployedMapping {
  readonly id: string
  readonly streamArn: string
  /** Lambda's own word: `Enabled`, `Disabled`, `Disabling`, … */
  readonly state: string
  /** Since when. */
  readonly changedMs: number | undefined
}

export interface MetricQuery {
  readonly namespace: string
  readonly name: string
  readonly dimensions: Readonly<Record<string, string>>
  readonly statistic: 'Sum' | 'Minimum' | 'Maximum'
  /** A multiple of a minute. */
  readonly periodMs: number
}

export interface MetricPoint {
  /** Start of its period. */
  readonly atMs: number
  readonly value: number
}

export interface MetricReader {
  /** The points of each query in the order of the queries, ascending; none where nothing was measured. */
  read(
    queries: readonly MetricQuery[],
    range: { readonly fromMs: number; readonly toMs: number },
  ): Promise<readonly (readonly MetricPoint[])[]>
}
