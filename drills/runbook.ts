// The verbs of the runbook: a drill types no command that docs/runbook.md does not have, so a runbook that is out of date fails its drill.

/** `millrace users repair ID` with `{ ID: 'ORD-LAX' }`: the words to type. Words in capitals are what the reader fills in. */
export function wordsOf(form: string, values: Readonly<Record<string, string>> = {}): readonly string[] {
  const [program, ...words] = form.split(' ')
  if (program !== 'millrace') throw new Error(`"${form}" does not begin with millrace`)
  return words.map(word =>
    word.replaceAll(/\b[A-Z]{2,}\b/g, blank => {
      const value = Object.hasOwn(values, blank) ? values[blank] : undefined
      if (value === undefined) throw new Error(`"${form}" needs a value for ${blank}`)
      return value
    }),
  )
}

/** Whether the page says it: in code, whole, from its first word to its last. */
export function isInRunbook(page: string, form: string): boolean {
  return commandsIn(page).has(form)
}

/** Every command that the page has in code, in a block or in a sentence. */
export function commandsIn(page: string): ReadonlySet<string> {
  const found = new Set<string>()
  for (const [, inline = ''] of page.replaceAll(/^```[\s\S]*?^```$/gm, '').matchAll(/`([^`\n]+)`/g)) add(found, inline)
  for (const [, block = ''] of page.matchAll(/^```\S*[^\n]*\n([\s\S]*?)^```$/gm)) {
    for (const line of block.split('\n')) add(found, line)
  }
  return found
}

/** Without the comment, the alternative after `||`, and the quotes around a word. */
function add(found: Set<string>, text: string): void {
  const command = (text.split(/ +(?:#|\|\|) /)[0] ?? '').replace(/^npx /, '').replaceAll("'", '').trim()
  if (command.startsWith('millrace ')) found.add(command)
}
