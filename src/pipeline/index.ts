import { pipeline } from 'millrace'
import { arrival } from './events.ts'
import { route } from './features.ts'
import { lateArrival } from './models.ts'

export default pipeline({ name: 'flights', events: [arrival], features: route, models: [lateArrival] })
