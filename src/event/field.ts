// The field types of an event contract. Each is plain data; the type parameter is what TypeScript infers for filters,
// aggregates and the producer.

export interface FieldOptions<Default> {
  /** Where the value is in upstream's JSON, as a dotted path; the field's own name unless given. */
  readonly path?: string
  /** Absent or null upstream is fine, and folds as "no value". */
  readonly optional?: true
  /** Absent upstream means this value. */
  readonly default?: Default
}

export interface NumberOptions extends FieldOptions<number> {
  /** Decimal places kept: the value is rounded to it on arrival, and sums are exact integers at this scale. */
  readonly scale?: number
}

export interface NumberField<Scale extends number | undefined = number | undefined> extends FieldOptions<number> {
  readonly kind: 'number'
  readonly scale: Scale
}
export interface TextField extends FieldOptions<string> {
  readonly kind: 'text'
}
export interface ChoiceField<Value extends string = string> extends FieldOptions<Value> {
  readonly kind: 'choice'
  readonly values: readonly Value[]
}
export interface FlagField extends FieldOptions<boolean> {
  readonly kind: 'flag'
}
export type Field = NumberField | TextField | ChoiceField | FlagField

/** A finite number. With `scale`, a decimal with that many places: needed for `sum` and `mean`, which are exact. */
export function number<const Scale extends number>(
  options: NumberOptions & { readonly scale: Scale },
): NumberField<Scale>
export function number(options?: NumberOptions): NumberField<undefined>
export function number(options: NumberOptions = {}): NumberField {
  return { kind: 'number', ...options, scale: options.scale }
}

/** Text of at most TEXT_BYTES_MAX bytes of UTF-8. */
export function text(options: FieldOptions<string> = {}): TextField {
  return { kind: 'text', ...options }
}

/** One of the given words. With options: `choice(['web', 'app'], { optional: true })`. */
export function choice<const Value extends string>(...values: readonly Value[]): ChoiceField<Value>
export function choice<const Value extends string>(
  values: readonly Value[],
  options: FieldOptions<Value>,
): ChoiceField<Value>
export function choice(...input: readonly unknown[]): ChoiceField {
  const [first, options] = input
  return Array.isArray(first)
    ? { kind: 'choice', values: first as string[], ...(options as FieldOptions<string> | undefined) }
    : { kind: 'choice', values: input as string[] }
}

/** True or false. */
export function flag(options: FieldOptions<boolean> = {}): FlagField {
  return { kind: 'flag', ...options }
}

/** The TypeScript type of a field's value. */
export type ValueOf<F> = F extends NumberField
  ? number
  : F extends ChoiceField<infer Value>
    ? Value
    : F extends TextField
      ? string
      : F extends FlagField
        ? boolean
        : never
