import { pipeline } from 'millrace'
import { route } from './features.ts'
import { lateArrival } from './models.ts'

export default pipeline({ name: 'flights', features: route, models: [lateArrival] })
