import { model } from 'millrace'
import { customer } from './features.ts'

/** Answers `no-model` until one is published: millrace model publish churn --help. */
export const churn = model('churn', {
  from: customer,
  inputs: ['orders30d', 'spend90d', 'sinceOrder'],
  owner: 'ana',
})
