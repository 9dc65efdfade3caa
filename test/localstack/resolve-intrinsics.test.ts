import { describe, expect, it } from 'vitest'
import { parseTemplate } from '../../localstack/cloudformation-template.ts'
import { type IntrinsicContext, isConditionTrue, resolveIntrinsics } from '../../localstack/resolve-intrinsics.ts'

function contextOf(template: object = {}): IntrinsicContext {
  return {
    template: parseTemplate(
      JSON.stringify({ Resources: { Stream: { Type: 'AWS::Kinesis::Stream' } }, ...template }),
      'test',
    ),
    parameters: new Map<string, unknown>([
      ['Stage', 'dev'],
      ['Shards', 2],
      ['AWS::Region', 'us-east-1'],
    ]),
    refOf: logicalId => `name-of-${logicalId}`,
    attributeOf: (logicalId, attribute) => `${attribute}-of-${logicalId}`,
  }
}

const resolve = (value: unknown, template?: object): unknown => resolveIntrinsics(value, contextOf(template))

describe('resolveIntrinsics', () => {
  it.each([
    ['Ref of a resource', { Ref: 'Stream' }, 'name-of-Stream'],
    ['Ref of a parameter, its type kept', { Ref: 'Shards' }, 2],
    ['Fn::GetAtt as a list', { 'Fn::GetAtt': ['Stream', 'Arn'] }, 'Arn-of-Stream'],
    ['Fn::GetAtt as a text', { 'Fn::GetAtt': 'Stream.Nested.Arn' }, 'Nested.Arn-of-Stream'],
    [
      'Fn::Sub with names, attributes and an escape',
      { 'Fn::Sub': '${Stage}/${Stream}/${Stream.Arn}/${!Literal}/${Shards}' },
      'dev/name-of-Stream/Arn-of-Stream/${Literal}/2',
    ],
    [
      'Fn::Sub with variables of its own',
      { 'Fn::Sub': ['${A}-${Stage}', { A: { Ref: 'AWS::Region' } }] },
      'us-east-1-dev',
    ],
    [
      'Fn::Join of functions',
      { 'Fn::Join': ['/', ['integrations', { Ref: 'Stream' }, 3]] },
      'integrations/name-of-Stream/3',
    ],
    ['Fn::Select of Fn::Split', { 'Fn::Select': ['1', { 'Fn::Split': ['.', 'a.b.c'] }] }, 'b'],
    ['functions deep inside', { a: [{ b: { Ref: 'Stage' } }] }, { a: [{ b: 'dev' }] }],
    [
      'AWS::NoValue left out of objects and lists',
      { a: { Ref: 'AWS::NoValue' }, b: [1, { Ref: 'AWS::NoValue' }] },
      { b: [1] },
    ],
  ])('resolves %s', (_name, value, expected) => {
    expect(resolve(value)).toEqual(expected)
  })

  it('resolves Fn::FindInMap and Fn::If, and only the branch that is taken', () => {
    const template = {
      Mappings: { Sizes: { dev: { memory: 128 } } },
      Conditions: { IsDev: { 'Fn::Equals': [{ Ref: 'Stage' }, 'dev'] } },
    }
    expect(resolve({ 'Fn::FindInMap': ['Sizes', { Ref: 'Stage' }, 'memory'] }, template)).toBe(128)
    expect(resolve({ 'Fn::If': ['IsDev', 'yes', { Ref: 'Nowhere' }] }, template)).toBe('yes')
  })

  it.each([
    ['a name that is nowhere', { Ref: 'Nowhere' }, /Nowhere/],
    ['an attribute of nothing', { 'Fn::GetAtt': ['Nowhere', 'Arn'] }, /Nowhere/],
    ['a function that it does not know', { 'Fn::ImportValue': 'x' }, /Fn::ImportValue/],
    ['an index that is not there', { 'Fn::Select': [3, ['a']] }, /element 3/],
    ['an object inside a text', { 'Fn::Join': ['', [{ a: 1 }]] }, /Fn::Join/],
  ])('refuses %s', (_name, value, message) => {
    expect(() => resolve(value)).toThrow(message)
    expect(() => resolve(value)).toThrow(expect.objectContaining({ code: 'template-unsupported' }))
  })
})

describe('conditions', () => {
  it('combine equality by not, and, or, and other conditions', () => {
    const isDev = { 'Fn::Equals': [{ Ref: 'Stage' }, 'dev'] }
    const isTwo = { 'Fn::Equals': [{ Ref: 'Shards' }, '2'] }
    const context = contextOf({
      Conditions: {
        IsDev: isDev,
        NotDev: { 'Fn::Not': [{ Condition: 'IsDev' }] },
        Both: { 'Fn::And': [isDev, isTwo] },
        Neither: { 'Fn::Or': [{ Condition: 'NotDev' }, { 'Fn::Not': [isTwo] }] },
      },
    })
    const names = ['IsDev', 'NotDev', 'Both', 'Neither']
    expect(names.map(name => isConditionTrue(name, context))).toEqual([true, false, true, false])
  })
})
