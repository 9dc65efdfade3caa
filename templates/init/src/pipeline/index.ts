import { pipeline } from 'millrace'
import { order } from './events.ts'
import { customer } from './features.ts'
import { churn } from './models.ts'

export default pipeline({ name: 'shop', events: [order], features: customer, models: [churn] })
