// MLflow's own page about a model, the file MLmodel: YAML of nested names, of which only texts are wanted. A list or a text of several lines
// in it is passed over, so no YAML parser is needed.
import { ModelError } from './errors.ts'

export interface MlflowModel {
  /** Of the ONNX file, from the folder of MLmodel. */
  readonly file: string
  readonly runId: string | undefined
  /** RFC 3339. */
  readonly when: string | undefined
  readonly libraries: Readonly<Record<string, string>>
}

/** Throws ModelError `mlflow-no-onnx`. */
export function readMlflowModel(text: string): MlflowModel {
  const values = scalars(text)
  const file = values.get('flavors.onnx.data')
  if (file === undefined) {
    const flavors = new Set([...values.keys()].flatMap(key => /^flavors\.([^.]+)\./.exec(key)?.[1] ?? []))
    throw new ModelError(`The MLflow model has no ONNX file, only ${[...flavors].join(', ') || 'nothing'}`, {
      code: 'mlflow-no-onnx',
      next: 'Log it with mlflow.onnx.log_model, converted by skl2onnx or onnxmltools; docs/bring-your-model.md shows how.',
    })
  }
  const found = {
    mlflow: values.get('mlflow_version'),
    onnx: values.get('flavors.onnx.onnx_version'),
    python: values.get('flavors.python_function.python_version'),
  }
  const created = values.get('utc_time_created')
  return {
    file,
    runId: values.get('run_id'),
    when: created === undefined ? undefined : `${created.slice(0, 19).replace(' ', 'T')}Z`,
    libraries: Object.fromEntries(
      Object.entries(found).flatMap(([name, version]) => (version === undefined ? [] : [[name, version] as const])),
    ),
  }
}

const LINE = /^( *)([A-Za-z_][\w.-]*):(?: +(.*))?$/

/** `a.b` → text, of every name whose value stands on its line. */
function scalars(text: string): Map<string, string> {
  const found = new Map<string, string>()
  const path: { readonly indent: number; readonly name: string }[] = []
  for (const line of text.split(/\r?\n/)) {
    const match = LINE.exec(line)
    if (match === null) continue
    const [, spaces = '', name = '', value = ''] = match
    while ((path.at(-1)?.indent ?? -1) >= spaces.length) path.pop()
    path.push({ indent: spaces.length, name })
    const plain = unquoted(value.trim())
    if (plain !== '' && plain !== 'null') found.set(path.map(one => one.name).join('.'), plain)
  }
  return found
}

function unquoted(value: string): string {
  const quoted = /^'(.*)'$|^"(.*)"$/.exec(value)
  return quoted?.[1]?.replaceAll("''", "'") ?? quoted?.[2] ?? value
}
