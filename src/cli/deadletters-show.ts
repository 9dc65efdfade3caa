// `millrace deadletters show`: one record that was set aside, whole: what it carries, what the contracts of this folder say of it now,
// whose it is, and what to do next.
import { decodeBase64 } from '../event/base64.ts'
import { checkArrival } from '../event/arrival.ts'
import { decodeRecord, isRefusal } from '../event/decode.ts'
import { inflatePayload } from '../event/inflate.ts'
import type { DeadLetter } from '../archive/dead-letters.ts'
import { letterLine } from '../archive/dead-letters.ts'
import { listLetters } from '../archive/letters.ts'
import { meaningOf } from '../archive/letter-reasons.ts'
import { toRfc3339 } from '../platform/clock.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import { compileContracts } from '../event/compile-contracts.ts'
import type { Pipeline } from '../predictions/pipeline.ts'
import type { Command } from './command.ts'
import { checkLetterName, isNamed, letterName, onlyLetter } from './letter-names.ts'
import { STAGE_OPTION, withConnection } from './with-connection.ts'

/** Of the payload on a terminal; --json has all of it. */
const SHOWN_BYTES_MAX = 8 * 1024

export const command: Command = {
  name: 'deadletters show',
  summary: 'Show one record that could not be applied, and what the contracts say of it now.',
  positionals: ['letter'],
  options: STAGE_OPTION,
  async run(context, args) {
    const name = checkLetterName(args.positional('letter'))
    const shown = await withConnection(context, args, async ({ archive }, pipeline) => {
      const letter = onlyLetter(await findNamed(archive, name), name)
      return { letter, payload: payloadOf(letter), today: judge(letter, pipeline) }
    })
    context.result(jsonOf(shown), () => describe(shown))
  },
}

interface ShownLetter {
  readonly letter: DeadLetter
  readonly payload: Payload
  readonly today: Judgement
}

async function findNamed(archive: ObjectStore, name: string): Promise<readonly DeadLetter[]> {
  const found: DeadLetter[] = []
  for await (const letter of listLetters(archive, { isAll: true })) if (isNamed(letter, name)) found.push(letter)
  return found
}

interface Payload {
  readonly encoding: 'text' | 'hex'
  readonly content: string
  readonly bytes: number
}

/** Inflated where it can be; as text where it is some, else in hex. */
function payloadOf({ dataBase64 }: DeadLetter): Payload {
  const data = decodeBase64(dataBase64)
  if (data === undefined) return { encoding: 'text', content: dataBase64, bytes: dataBase64.length }
  const inflated = inflatePayload(data)
  const plain = 'reason' in inflated ? data : Buffer.from(inflated)
  const text = plain.toString('utf8')
  const isText = Buffer.from(text, 'utf8').equals(plain) && !hasControls(text)
  return { encoding: isText ? 'text' : 'hex', content: isText ? text : plain.toString('hex'), bytes: plain.length }
}

/** A terminal would obey them. */
function hasControls(text: string): boolean {
  return /[^\P{Cc}\t\n\r]/u.test(text)
}

interface Judgement {
  readonly isAccepted: boolean
  readonly type: string | undefined
  readonly owner: string | undefined
  /** Why it would be refused today. */
  readonly reason: string | undefined
  readonly detail: string | undefined
  readonly field: string | undefined
}

function judge(letter: DeadLetter, pipeline: Pipeline): Judgement {
  const decoded = decodeRecord(letter, compileContracts(pipeline.events, { typePath: pipeline.typePath }))
  const refusal = isRefusal(decoded) ? decoded : checkArrival(decoded, letter)
  const { type } = decoded
  return {
    isAccepted: refusal === undefined,
    type,
    owner: pipeline.events.find(contract => contract.type === type)?.owner,
    reason: refusal?.reason,
    detail: refusal?.detail,
    field: refusal?.field,
  }
}

function jsonOf({ letter, payload, today }: ShownLetter) {
  const { isAccepted, type, owner, reason, detail, field } = today
  return {
    ...letterLine(letter),
    payload,
    meaning: meaningOf(letter.reason) ?? null,
    state: letter.closedBy === undefined ? 'open' : 'closed',
    type: type ?? null,
    owner: owner ?? null,
    today: isAccepted
      ? { accepted: true }
      : { accepted: false, reason: reason ?? null, detail: detail ?? null, field: field ?? null },
    next: nextStep({ letter, payload, today }),
  }
}

function describe(shown: ShownLetter): string[] {
  const { letter, payload, today } = shown
  const { content, encoding, bytes } = payload
  const meaning = meaningOf(letter.reason)?.meaning
  const field = today.field === undefined ? '' : ` The field is ${today.field}.`
  return [
    letterName(letter),
    `arrived:  ${toRfc3339(letter.arrivalMs)}`,
    `reason:   ${letter.reason}: ${letter.detail}`,
    ...(meaning === undefined ? [] : [`meaning:  ${meaning}`]),
    `type:     ${today.type ?? 'not known'}, owner ${today.owner ?? 'nobody'}`,
    `state:    ${letter.closedBy === undefined ? 'open' : `closed by ${letter.closedBy}`}`,
    `today:    ${today.isAccepted ? 'The contracts accept it.' : `refused as ${today.reason}: ${today.detail}${field}`}`,
    `next:     ${nextStep(shown)}`,
    `payload:  ${bytes} bytes${encoding === 'hex' ? ', no text, in hex' : ''}`,
    ...content.slice(0, SHOWN_BYTES_MAX).split('\n'),
    ...(content.length > SHOWN_BYTES_MAX ? ['… --json shows all of it'] : []),
  ]
}

/** Of what stands in the way today, which need not be what stood in it then. */
function nextStep({ letter, today }: ShownLetter): string {
  if (letter.closedBy !== undefined) return 'Nothing: its event counts.'
  if (letter.reason === 'item-corrupt') return meaningOf('item-corrupt')?.next ?? ''
  if (today.isAccepted) return `millrace deadletters replay ${letterName(letter)} --preview`
  return meaningOf(today.reason ?? '')?.next ?? 'Ask who owns the type.'
}
