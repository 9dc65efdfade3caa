// The port for a metastore that shows SQL engines where the current batch of each partition is. It is told afterwards and may be behind:
// the log of the catalogue says what is current, and what is here can be made anew from it at any time.

export interface MirrorName {
  readonly database: string
  readonly name: string
}

export interface MirrorColumn {
  readonly name: string
  /** As Hive writes it: `bigint`, `array<string>`. */
  readonly type: string
}

/** Where rows are and how they are read. */
export interface MirrorStorage {
  readonly location: string
  readonly columns: readonly MirrorColumn[]
  readonly inputFormat: string
  readonly outputFormat: string
  readonly serde: string
}

export interface MirrorTable {
  readonly description: string
  readonly partitionKeys: readonly string[]
  readonly storage: MirrorStorage
  readonly parameters: Readonly<Record<string, string>>
}

export interface MirrorPartition {
  /** One for each partition key, in their order. */
  readonly values: readonly string[]
  readonly storage: MirrorStorage
  readonly parameters: Readonly<Record<string, string>>
}

/** Implementations: glue-catalog, and the in-memory fake of the tests. Everything throws CatalogError. */
export interface TableMirror {
  table(at: MirrorName): Promise<MirrorTable | undefined>
  /** Its database too, where there is none. Of a table that is there already nothing changes. */
  createTable(at: MirrorName, table: MirrorTable): Promise<void>
  updateTable(at: MirrorName, table: MirrorTable): Promise<void>
  /** The table and its partitions; no object that they point to. */
  dropTable(at: MirrorName): Promise<void>
  partition(at: MirrorName, values: readonly string[]): Promise<MirrorPartition | undefined>
  /** All of the table, in any order. */
  partitions(at: MirrorName): AsyncIterable<MirrorPartition>
  /** Creates them, or puts them in the place of those of the same values. */
  putPartitions(at: MirrorName, partitions: readonly MirrorPartition[]): Promise<void>
  /** Also where there is none. */
  dropPartitions(at: MirrorName, values: readonly (readonly string[])[]): Promise<void>
}
