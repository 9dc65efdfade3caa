// What a deployed function is called: osls puts service and stage before the name in cloud/functions.yml.
export function functionName(pipeline: string, stage: string, key: string): string {
  return `${pipeline}-${stage}-${key}`
}
