import { pipeline } from 'millrace'
import { customer } from './features.ts'
import { churn } from './models.ts'

export default pipeline({ name: 'shop', features: customer, models: [churn] })
