import { describe, expect, it } from 'vitest'
import { commandText } from '../../drills/command.ts'
import { commandsIn, isInRunbook, wordsOf } from '../../drills/runbook.ts'

const PAGE = `
Type \`millrace users repair ID\`, never \`millrace users\` alone, and not millrace resume.

\`\`\`sh
npx millrace status || echo 'It needs somebody.'
npx millrace pause --why 'TEXT'
npx millrace deadletters list   # all of them
npm run drill
\`\`\`

After it \`millrace verify --all\`.
`

describe('commands of a page', () => {
  it('are those in code, whole, without npx, quotes, comments and what stands in for a failure', () => {
    expect([...commandsIn(PAGE)].sort()).toEqual([
      'millrace deadletters list',
      'millrace pause --why TEXT',
      'millrace status',
      'millrace users',
      'millrace users repair ID',
      'millrace verify --all',
    ])
  })

  it('are not there by their beginning, nor outside of code', () => {
    expect(isInRunbook(PAGE, 'millrace users repair ID')).toBe(true)
    expect(isInRunbook(PAGE, 'millrace users repair')).toBe(false)
    expect(isInRunbook(PAGE, 'millrace verify')).toBe(false)
    expect(isInRunbook(PAGE, 'millrace resume')).toBe(false)
  })
})

describe('the words of a form', () => {
  it('have the blanks filled in, inside of a word too, each as one word', () => {
    expect(
      wordsOf('millrace table rollback models.NAME production BATCH --why TEXT', {
        NAME: 'churn',
        BATCH: 'b-1',
        TEXT: 'it is bad',
      }),
    ).toEqual(['table', 'rollback', 'models.churn', 'production', 'b-1', '--why', 'it is bad'])
  })

  it('refuse a blank without a value, and what is no command of millrace', () => {
    expect(() => wordsOf('millrace users repair ID')).toThrow('needs a value for ID')
    expect(() => wordsOf('rm -r ID', { ID: '/' })).toThrow('does not begin with millrace')
  })

  it('are shown as a shell would take them', () => {
    expect(commandText(['pause', '--why', "it's bad"])).toBe(String.raw`millrace pause --why 'it'\''s bad'`)
    expect(commandText(['users', 'repair', 'DRL-003'])).toBe('millrace users repair DRL-003')
  })
})
