// The field types of an event contract. Each is plain data; the type parameter is what TypeScript infers for filters,
// aggregates and the producer.

export interface FieldOptions<Default> {
  /** Where the value is in upstream's JSON, as a dotted path; the field's own name unless given. */
  readonly path?: string
  /** Absent or null upstream is fine, and folds as "no value". */
  readonly optional?: true
  /** Null upstream is fine, and folds as "no value"; absent is still refused, or means the default. */
  readonly nullable?: true
  /** Absent upstream means this value, and null does unless the field is nullable. */
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
  /** `unknown` is one of them. */
  readonly values: readonly Value[]
  /** What a word that is none of these folds as; refused without it. */
  readonly unknown?: Value
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

export interface ChoiceOptions<Value extends string, Unknown extends string> extends FieldOptions<Value> {
  /** A word that upstream adds later folds as this one, which is then one of the field's words. */
  readonly unknown?: Unknown
}

/** One of the given words. With options: `choice(['web', 'app'], { unknown: 'other' })`. */
export function choice<const Value extends string>(...values: readonly Value[]): ChoiceField<Value>
export function choice<const Value extends string, const Unknown extends string = never>(
  values: readonly Value[],
  options: ChoiceOptions<NoInfer<Value | Unknown>, Unknown>,
): ChoiceField<Value | Unknown>
export function choice(...input: readonly unknown[]): ChoiceField {
  if (!Array.isArray(input[0])) return { kind: 'choice', values: input as readonly string[] }
  const [values, options = {}] = input as [readonly string[], ChoiceOptions<string, string>?]
  const { unknown } = options
  const isListed = unknown === undefined || values.includes(unknown)
  return { kind: 'choice', values: isListed ? values : [...values, unknown], ...options }
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
