import { choice, event, flag, number, text } from 'millrace'

/** One paid order, as the shop already sends it: paths point into its own JSON, so the shop changes nothing. */
export const order = event('order.placed', {
  id: 'orderId',
  user: 'customer.id',
  time: 'placedAt',
  // How late an order may arrive after its time and still be counted.
  lateness: '6h',
  fields: {
    amount: number({ scale: 2 }),
    item: text(),
    channel: choice('web', 'app'),
    gift: flag({ default: false }),
  },
  owner: 'ana',
  about: 'One paid order, from the shop.',
})
